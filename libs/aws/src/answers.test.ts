import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ClientOptions,
  ConditionalCheckFailedException,
  documentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  TransactionCanceledException,
  TransactWriteCommand,
} from './index.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

type Answer = Error | (Omit<Partial<HttpResponse>, 'body'> & { body?: unknown });

/** A client that gets these answers, one after the other; pauses take no time. */
function clientWith(answers: Answer[], options: ClientOptions = {}) {
  const sent: HttpRequest[] = [];
  const pauses: number[] = [];
  const client = documentClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    transport: async (request) => {
      sent.push(request);
      const answer = answers.shift();
      if (answer instanceof Error || !answer) throw answer ?? new Error('There is no other answer');
      const { statusCode = 200, headers = {}, body = {} } = answer;
      return { statusCode, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
    },
    sleep: async (ms) => {
      pauses.push(ms);
    },
    random: () => 1,
    ...options,
  });
  return { client, sent, pauses };
}

const failure = (name: string, members: object = {}, statusCode = 400): Answer => ({
  statusCode,
  headers: { 'x-amzn-requestid': 'request-1' },
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'It says why', ...members },
});
const reset = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
const get = new GetCommand({ TableName: 't', Key: { pk: 'a' } });
const put = new PutCommand({ TableName: 't', Item: { pk: 'a' } });

describe('a request is tried again, three times in all with growing pauses,', () => {
  test.each([
    ['after a throttle', failure('ProvisionedThroughputExceededException')],
    ['after a throttle of the account', failure('RequestLimitExceeded')],
    ['after a failure of AWS', failure('InternalServerError', {}, 500)],
    ['after an answer that is not from DynamoDB', { statusCode: 503, body: '<html>' }],
    ['when the connection is lost', reset()],
    ['when there is no answer in time', Object.assign(new Error('late'), { name: 'TimeoutError' })],
    ['when the checksum of the answer is wrong', { headers: { 'x-amz-crc32': '1' } }],
  ])('%s', async (_, answer) => {
    const { client, sent, pauses } = clientWith([answer, answer, { body: { Item: { pk: { S: 'a' } } } }]);
    expect(await client.send(get)).toEqual({ Item: { pk: 'a' } });
    expect(sent).toHaveLength(3);
    expect(pauses).toEqual([40, 80]);

    const hopeless = clientWith([answer, answer, answer, { body: {} }]);
    await expect(hopeless.client.send(get)).rejects.toThrow();
    expect(hopeless.sent).toHaveLength(3);
  });

  test.each([
    ['a request that is wrong', failure('ValidationException')],
    ['a condition that does not hold', failure('ConditionalCheckFailedException')],
    ['a table that is not there', failure('ResourceNotFoundException')],
    [
      'a transaction that met another one',
      failure('TransactionCanceledException', { CancellationReasons: [{ Code: 'TransactionConflict' }] }),
    ],
    ['a write that met a transaction', failure('TransactionConflictException')],
  ])('but not %s', async (_, answer) => {
    const { client, sent } = clientWith([answer, { body: {} }]);
    await expect(client.send(get)).rejects.toThrow('It says why');
    expect(sent).toHaveLength(1);
  });
});

test('an answer with the right checksum is taken', async () => {
  const body = JSON.stringify({ Item: { pk: { S: 'ä' } } });
  const { client } = clientWith([{ headers: { 'x-amz-crc32': String(crc32(body)) }, body }]);
  expect(await client.send(get)).toEqual({ Item: { pk: 'ä' } });
});

describe('a clock that is wrong', () => {
  const refusal = {
    statusCode: 400,
    headers: { date: 'Mon, 30 Nov 2026 12:00:00 GMT' },
    body: { __type: 'InvalidSignatureException' },
  };

  test('is corrected by the time of the refusal, for all requests that follow', async () => {
    const { client, sent, pauses } = clientWith([refusal, {}, {}], { now: () => new Date('2026-11-30T11:00:00Z') });
    await client.send(get);
    await client.send(get);
    expect(sent.map(({ headers }) => headers['x-amz-date'])).toEqual([
      '20261130T110000Z',
      '20261130T120000Z',
      '20261130T120000Z',
    ]);
    expect(pauses).toEqual([]);
  });

  test('is corrected once for requests that are under way at the same time', async () => {
    const { client, sent } = clientWith([refusal, refusal, {}, {}], { now: () => new Date('2026-11-30T11:00:00Z') });
    await Promise.all([client.send(get), client.send(get)]);
    expect(sent.slice(2).map(({ headers }) => headers['x-amz-date'])).toEqual(['20261130T120000Z', '20261130T120000Z']);
  });

  test('does not explain a signature that is refused at the right time', async () => {
    const { client, sent } = clientWith([refusal], { now: () => new Date('2026-11-30T12:01:00Z') });
    await expect(client.send(get)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    expect(sent).toHaveLength(1);
  });
});

describe('an error has the name and the members of the SDK', () => {
  test('ConditionalCheckFailedException, with the item', async () => {
    const { client } = clientWith([failure('ConditionalCheckFailedException', { Item: { n: { N: '1' } } })]);
    const error = await client.send(put).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect(error).toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'It says why',
      $fault: 'client',
      $metadata: { httpStatusCode: 400, requestId: 'request-1' },
      Item: { n: 1 },
    });
  });

  test('TransactionCanceledException, with a reason for each action', async () => {
    const CancellationReasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { id: { S: 'x' } } }];
    const { client } = clientWith([failure('TransactionCanceledException', { CancellationReasons })]);
    const error = await client.send(new TransactWriteCommand({ TransactItems: [] })).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error).toMatchObject({
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { id: 'x' } }],
    });
  });

  test('any other one, by the header before the body', async () => {
    const { client } = clientWith([
      { statusCode: 400, headers: { 'x-amzn-errortype': 'AccessDeniedException:http://x' }, body: { Message: 'no' } },
    ]);
    await expect(client.send(get)).rejects.toMatchObject({ name: 'AccessDeniedException', message: 'no' });
  });
});

describe('numbers', () => {
  const read = async (N: string) =>
    (await clientWith([{ body: { Item: { n: { N } } } }]).client.send(get)).Item?.n as unknown;

  test.each([
    ['0', 0],
    ['-12.5', -12.5],
    ['1E-7', 1e-7],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['0.30000000000000004', 0.1 + 0.2],
    ['0.1000000000000000000', 0.1],
    ['12345678901234567890123456789012345678', 12_345_678_901_234_567_890_123_456_789_012_345_678n],
  ])('%s is read as it is', async (text, value) => expect(await read(text)).toBe(value));

  test.each(['0.1234567890123456789', '3.1415926535897932384', '1234567890123456.789'])(
    '%s is not read, because JavaScript would round it',
    async (text) => {
      await expect(read(text)).rejects.toMatchObject({ code: 'INEXACT_NUMBER' });
    },
  );

  test.each([2 ** 53, -(2 ** 60), Number.NaN, Number.POSITIVE_INFINITY])('%s is not written', async (n) => {
    const { client, sent } = clientWith([{}]);
    await expect(client.send(new PutCommand({ TableName: 't', Item: { n } }))).rejects.toThrow('attribute n');
    expect(sent).toEqual([]);
  });
});

test.each([new Date(0), () => 1, Symbol('s'), new Set(), new Set([1, 'a'])])(
  '%p has no type in DynamoDB',
  async (value) => {
    const { client } = clientWith([{}]);
    await expect(client.send(new PutCommand({ TableName: 't', Item: { value } }))).rejects.toThrow(TypeError);
  },
);

test('an answer is unmarshalled wherever it has attributes', async () => {
  const { client } = clientWith([
    {
      body: {
        Responses: { t: [{ pk: { S: 'a' }, bytes: { B: 'AQI=' }, set: { SS: ['x'] }, __proto__: { NULL: true } }] },
        UnprocessedKeys: { t: { Keys: [{ pk: { S: 'b' } }], ConsistentRead: true } },
        UnprocessedItems: {
          t: [{ PutRequest: { Item: { pk: { S: 'c' } } } }, { DeleteRequest: { Key: { pk: { S: 'd' } } } }],
        },
      },
    },
  ]);
  expect(await client.send(get)).toEqual({
    Responses: { t: [{ pk: 'a', bytes: new Uint8Array([1, 2]), set: new Set(['x']) }] },
    UnprocessedKeys: { t: { Keys: [{ pk: 'b' }], ConsistentRead: true } },
    UnprocessedItems: { t: [{ PutRequest: { Item: { pk: 'c' } } }, { DeleteRequest: { Key: { pk: 'd' } } }] },
  });
});

test('pages are read until there is no more, also behind an empty one', async () => {
  const { client, sent } = clientWith([
    { body: { Items: [{ n: { N: '1' } }], LastEvaluatedKey: { pk: { S: 'a' } } } },
    { body: { Items: [], LastEvaluatedKey: { pk: { S: 'b' } } } },
    { body: { Items: [{ n: { N: '2' } }] } },
  ]);
  const items = [];
  for await (const { Items = [] } of paginateQuery(client, { TableName: 't' })) items.push(...Items);
  expect(items).toEqual([{ n: 1 }, { n: 2 }]);
  expect(sent.map(({ body }) => JSON.parse(Buffer.from(body).toString()).ExclusiveStartKey)).toEqual([
    undefined,
    { pk: { S: 'a' } },
    { pk: { S: 'b' } },
  ]);
});

describe('over a network', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  async function listen(onRequest: Parameters<typeof createServer>[1]): Promise<string> {
    server = createServer({}, onRequest);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const options = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } };

  test('requests share a connection', async () => {
    const ports = new Set<number | undefined>();
    const endpoint = await listen((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume().on('end', () => response.end('{"Item":{"pk":{"S":"ä"}}}'));
    });
    const client = documentClient({ ...options, endpoint });
    for (let count = 0; count < 5; count += 1) expect(await client.send(get)).toEqual({ Item: { pk: 'ä' } });
    expect(ports.size).toBe(1);
  });

  test('a request that gets no answer ends, and an answer that is cut off is asked for again', async () => {
    let requests = 0;
    const endpoint = await listen((request, response) => {
      requests += 1;
      request.resume();
      if (requests === 1) return;
      if (requests === 2)
        response.writeHead(200, { 'content-length': 100 }).write('{"It', () => request.socket.destroy());
      else response.end('{}');
    });
    const client = documentClient({ ...options, endpoint, limits: { responseMs: 200 }, sleep: async () => {} });
    expect(await client.send(get)).toEqual({});
    expect(requests).toBe(3);
  });

  test('an endpoint that is not a URL is named', async () => {
    const client = documentClient({ ...options, endpoint: 'localhost:1' });
    await expect(client.send(get)).rejects.toThrow('AWS_ENDPOINT_URL_DYNAMODB must be');
  });
});
