import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AwsError } from '../core/aws-error.ts';
import { HttpAnswer } from '../core/http-message.ts';
import { Messages } from '../core/messages.ts';
import { listenOnLoopback } from '../core/port.ts';
import type { AwsService, Protocol, ProtocolName } from '../core/service.ts';
import { Usage } from '../core/usage.ts';
import { createGateway } from './gateway.ts';
import { LocalRoutes } from './local-routes.ts';

/** What was done, in order. */
let steps: string[];
let server: Server;
let origin: string;

/** A service that takes every operation. */
const service = (protocol: ProtocolName | undefined, rest: Partial<AwsService> = {}): AwsService => ({
  name: String(protocol),
  ...(protocol && { protocols: [protocol] }),
  targets: ['Any'],
  resourceTypes: {},
  access: () => [],
  start: () => Promise.reject(new Error('not started in this test')),
  ...rest,
});

const onPort = (described: AwsService, output: unknown) => ({
  service: described,
  running: {
    handle: undefined,
    api: ({ operation, isMetered }: { operation: string; isMetered: boolean }) => {
      steps.push(`call ${operation}${isMetered ? ' metered' : ''}`);
      if (operation === 'Fail') throw new AwsError('Failed', 'it failed');
      return output;
    },
    meter: (_usage: Usage, { functionName, operation }: { functionName: string; operation: string }) => {
      steps.push(`meter ${functionName} ${operation}`);
    },
  },
});

/** A protocol that a service brings: the operation is the path, answers are in capitals. */
const shouted: Protocol = {
  matches: (headers) => headers['content-type'] === 'text/shouted',
  read: ({ url }) => ({ operation: url.pathname.slice(1), input: {} }),
  answer: (output) => new HttpAnswer(200, {}, JSON.stringify(output).toUpperCase()),
  error: ({ code, status }) => new HttpAnswer(status, {}, code.toUpperCase()),
};

const services = [
  onPort(service('json'), { Answer: 42 }),
  onPort(service('query'), '<Answer/>'),
  onPort(service('rest', { routes: [{ operation: 'Read', method: 'GET', path: '/things/{Name}' }] }), { Answer: 42 }),
  onPort(service('restXml', { name: 's3', streamsBody: true }), new HttpAnswer(201, { 'x-own': '1' }, 'own')),
  onPort(service(undefined, { name: 'hidden' }), {}),
  onPort(
    service('restXml', {
      name: 'forms',
      // As a service that has its signature in the fields of a form.
      takesUnsigned: ({ method, url }) => method === 'POST' && url.pathname === '/form',
      read: async ({ body, target }) => {
        if (target === '/invalid') throw new AwsError('Invalid', 'no', 409, { Key: 'a&b' }, { a: 'b' });
        return { operation: 'Post', input: {}, accessKeyId: body.toString() };
      },
    }),
    new HttpAnswer(200, { 'content-length': '7' }, ''),
  ),
  onPort(service('json', { name: 'several', protocols: ['json', shouted, 'query'] }), { Answer: 42 }),
];

beforeEach(async () => {
  steps = [];
  const empty = () => ({});
  server = createGateway(
    Promise.resolve({
      services,
      callerOf: (accessKeyId = 'anonymous') => {
        steps.push(`identify ${accessKeyId}`);
        const arn = `arn:aws:iam::000000000000:user/${accessKeyId}`;
        const isFunction = accessKeyId.startsWith('function');
        return {
          ...{ arn, principalArn: arn, accountId: '000000000000', identityPolicies: undefined },
          ...(isFunction && { functionName: accessKeyId }),
        };
      },
      authorizer: {
        authorize: (accessKeyId, { service: name, operation }) => {
          steps.push(`authorize ${name} ${operation}`);
          if (accessKeyId === 'stranger') throw new AwsError('AccessDenied', 'not you', 403);
        },
      },
      usage: new Usage(),
      local: new LocalRoutes({
        messages: new Messages(),
        ...{ alarms: empty, consoles: empty, refusals: empty, health: empty },
        issuer: async () => ({ status: 200, body: {} }),
      }),
    }),
  );
  origin = `http://127.0.0.1:${await listenOnLoopback(server, 0)}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function send(name: string, accessKeyId: string, path = '/', init: RequestInit = {}): Promise<Response> {
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/${name}/aws4_request`;
  return fetch(`${origin}${path}`, { ...init, headers: { ...init.headers, authorization } });
}

const requests: [name: string, path: string, init: RequestInit, operation: string][] = [
  ['json', '/', { method: 'POST', headers: { 'x-amz-target': 'Any.Do' }, body: '{}' }, 'Do'],
  ['query', '/', { method: 'POST', body: new URLSearchParams({ Action: 'Do' }) }, 'Do'],
  ['rest', '/things/one', {}, 'Read'],
  ['s3', '/bucket/key', { method: 'PUT', body: 'content' }, 'PUT /bucket/key'],
];

describe.each(requests)('a request in %s', (name, path, init, operation) => {
  test('of a function is identified, authorized, carried out and metered', async () => {
    const response = await send(name, 'function-a', path, init);
    expect(response.ok).toBe(true);
    expect(steps).toEqual([
      'identify function-a',
      `authorize ${name} ${operation}`,
      `call ${operation} metered`,
      `meter function-a ${operation}`,
    ]);
  });

  test('of an operator is not metered', async () => {
    await send(name, 'operator', path, init);
    expect(steps).toEqual(['identify operator', `authorize ${name} ${operation}`, `call ${operation}`]);
  });

  test('that is not allowed does not reach the service', async () => {
    const response = await send(name, 'stranger', path, init);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('AccessDenied')]);
    expect(steps).toEqual(['identify stranger', `authorize ${name} ${operation}`]);
  });
});

test('an operation that fails is not metered', async () => {
  const response = await send('json', 'function-a', '/', { method: 'POST', headers: { 'x-amz-target': 'Any.Fail' } });
  expect(await response.json()).toEqual({ __type: 'Failed', message: 'it failed' });
  expect(steps.at(-1)).toBe('call Fail metered');
});

test('an answer of the service’s own is written as it is, another in the protocol', async () => {
  const own = await send('s3', 'operator', '/bucket/key');
  expect([own.status, own.headers.get('x-own'), await own.text()]).toEqual([201, '1', 'own']);
  expect(await (await send('rest', 'operator', '/things/one')).json()).toEqual({ Answer: 42 });
});

describe('a service with several protocols', () => {
  const form = 'application/x-www-form-urlencoded';
  const target = (operation: string) => ({ 'x-amz-target': `Any.${operation}` });

  test.each([
    ['JSON', '/', target('Do'), '{}', '{"Answer":42}'],
    ['JSON, although it says it is a form', '/', { ...target('Do'), 'content-type': form }, '{}', '{"Answer":42}'],
    ['its own', '/Do', { 'content-type': 'text/shouted' }, '', '{"ANSWER":42}'],
    ['query', '/', { 'content-type': form }, 'Action=Do', '[object Object]'],
  ])('answers a request in %s in that protocol', async (_name, path, headers, body, answer) => {
    const response = await send('several', 'operator', path, { method: 'POST', headers, body });
    expect([await response.text(), steps.at(-1)]).toEqual([answer, 'call Do']);
  });

  test.each([
    ['JSON', '/', target('Fail'), '', '{"__type":"Failed","message":"it failed"}'],
    ['its own', '/Fail', { 'content-type': 'text/shouted' }, '', 'FAILED'],
    ['query', '/', { 'content-type': form }, 'Action=Fail', expect.stringContaining('<Code>Failed</Code>')],
    ['none of them, as the first has it', '/', {}, '', expect.stringContaining('MissingAction')],
  ])('answers an error of a request in %s in that protocol', async (_name, path, headers, body, answer) => {
    const response = await send('several', 'operator', path, { method: 'POST', headers, body });
    expect(await response.text()).toEqual(answer);
  });
});

test('a service without a protocol, and a path that is not an operation, are errors', async () => {
  expect((await send('hidden', 'operator')).status).toBe(501);
  const response = await send('rest', 'operator', '/elsewhere');
  expect([response.status, steps]).toEqual([404, []]);
});

test('a service may take requests without a signature, and find the access key in them', async () => {
  const form = (method: string, body?: string) => fetch(`${origin}/form`, { method, ...(body && { body }) });
  expect((await form('POST', 'function-b')).status).toBe(200);
  expect(steps.slice(0, 2)).toEqual(['identify function-b', 'authorize forms Post']);
  expect([(await form('POST', 'stranger')).status, (await form('PUT', 'operator')).status]).toEqual([403, 403]);
});

test('an error has the details, the headers and the request id of its protocol', async () => {
  const response = await send('forms', 'operator', '/invalid');
  const id = response.headers.get('x-amzn-requestid');
  expect([response.status, response.headers.get('a'), response.headers.get('x-amz-request-id')]).toEqual([
    409,
    'b',
    id,
  ]);
  const elements = `<Code>Invalid</Code><Message>no</Message><Key>a&#38;b</Key><Resource>/invalid</Resource><RequestId>${id}</RequestId>`;
  expect(await response.text()).toBe(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements}</Error>`);
});

test('an answer to HEAD has the length that the service says', async () => {
  const response = await send('forms', 'operator', '/', { method: 'HEAD' });
  expect([response.status, response.headers.get('content-length')]).toEqual([200, '7']);
});

test('a path that is not encoded properly is an error in the form of the service', async () => {
  const response = await send('forms', 'operator', '/%E0');
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('<Code>BadRequest</Code>')]);
});
