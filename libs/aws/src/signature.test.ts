import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { credentials, now, ours, region } from '../fixtures/recorded-clients.ts';
import { documentClient, eventBridge, GetCommand, PutCommand, PutEventsCommand } from './index.ts';
import type { RequestParts } from './protocol.ts';
import { canonicalQuery, percentEncoded, RequestSigner } from './signature.ts';

const TableName = 'orders';
const Key = { pk: 'a', sk: 1 };
const Item = { pk: 'straße 😀' };

/** SHA-256 as the SDK's signer wants it. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

describe("requests are signed as the SDK's signer signs them", () => {
  test.each([
    ['with temporary credentials', 'dynamodb', credentials],
    ['with lasting credentials', 'events', { accessKeyId: 'AKID', secretAccessKey: 's' }],
  ] as const)('%s', async (_, service, each) => {
    const our = ours();
    const options = { ...our.options, credentials: each };
    if (service === 'dynamodb') await documentClient(options).send(new PutCommand({ TableName, Item }));
    else await eventBridge(options).send(new PutEventsCommand({ Entries: [{ Source: 's', Detail: '{"a":"ü"}' }] }));
    const [request] = our.sent;
    if (!request) throw new Error('nothing was sent');
    const { authorization, 'content-length': _length, 'user-agent': _agent, ...headers } = request.headers;
    const { 'x-amz-date': _date, 'x-amz-security-token': _token, ...unsigned } = headers;

    const signer = new SignatureV4({
      credentials: each,
      region,
      service,
      sha256: Sha256 as never,
      applyChecksum: false,
    });
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: 'https:',
        hostname: request.hostname,
        path: '/',
        query: {},
        headers: unsigned,
        body: request.body,
      },
      { signingDate: now },
    );

    expect(authorization).toBe(signed.headers.authorization);
    expect(headers['x-amz-date']).toBe(signed.headers['x-amz-date']);
    expect(headers['x-amz-security-token']).toBe(signed.headers['x-amz-security-token']);
    expect(request).toMatchObject({
      protocol: 'https:',
      hostname: `${service}.${region}.amazonaws.com`,
      port: undefined,
    });
  });

  test('with a new key on the next day, and with a new secret', async () => {
    const our = ours();
    const tomorrow = new Date(now.getTime() + 86_400_000);
    const times = [now, tomorrow];
    const secrets = ['one', 'one', 'two', 'two'];
    let sent = 0;
    const client = documentClient({
      ...our.options,
      now: () => times[sent] ?? tomorrow,
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: secrets[sent++] ?? '' }),
    });
    for (let count = 0; count < 4; count += 1) await client.send(new GetCommand({ TableName, Key }));
    const signatures = our.sent.map(({ headers }) => headers.authorization?.split('Signature=')[1]);
    expect(new Set(signatures).size).toBe(3);
    expect(signatures[2]).toBe(signatures[3]);
  });
});

test('a request of any method, path, query, headers and body is signed as the SDK signs it', async () => {
  // The SDK's signer has no parameter `__proto__`.
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => !['.', '..', '__proto__'].includes(each));
  const requests = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    labels: fc.array(text, { minLength: 1, maxLength: 4 }),
    query: fc.dictionary(text, fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 })),
    value: fc.stringMatching(/^[ -~]*$/),
    body: fc.oneof(fc.string(), fc.uint8Array()),
  });
  const signer = new RequestSigner(region, 'lambda');
  const theirs = new SignatureV4({
    ...{ credentials, region, service: 'lambda', sha256: Sha256 as never, applyChecksum: false },
  });
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, labels, query, value, body }) => {
      const path = `/${labels.map(percentEncoded).join('/')}`;
      const hostname = 'lambda.eu-central-1.amazonaws.com';
      const headers = { host: hostname, 'x-amz-invocation-type': value };
      const parameters = Object.entries(query).flatMap(([name, values]) => values.map((each) => [name, each] as const));
      const signed = signer.sign({ method, path, query: canonicalQuery(parameters), headers, body }, credentials, now);
      const request = { method, protocol: 'https:', hostname, path, query, headers, body };
      const expected = await theirs.sign(request, { signingDate: now });
      expect(signed.authorization).toBe(expected.headers.authorization);
    }),
    { numRuns: 300 },
  );
});

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html, by the names there. */
test.each([
  ['get-vanilla', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    { query: 'Param2=value2&Param1=value1' },
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'get-header-value-trim',
    { headers: { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' } },
    'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  ],
  ['post-vanilla', { method: 'POST' }, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-x-www-form-urlencoded',
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Param1=value1',
    },
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
] as const)("AWS's example %s has its signature", (_, request: Partial<RequestParts>, signature) => {
  const { query = '', headers = {} } = request;
  const sorted = canonicalQuery([...new URLSearchParams(query)]);
  const { authorization } = new RequestSigner('us-east-1', 'service').sign(
    {
      ...{ method: 'GET', path: '/', body: '', ...request },
      ...{ query: sorted, headers: { host: 'example.amazonaws.com', ...headers } },
    },
    { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    new Date('2015-08-30T12:36:00Z'),
  );
  expect(authorization?.split('Signature=')[1]).toBe(signature);
});
