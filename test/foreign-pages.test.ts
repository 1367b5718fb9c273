/**
 * What a web page that is open in the browser of somebody who runs `npm start` may do with it: nothing, on any port that the
 * process or one of its children listens on.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requestBytes, sendBytes } from './hostile/raw-http.ts';
import { type ListeningPort, listeningPortsOf } from './listening-ports.ts';
import { type RunningStart, startMillrace } from './running-start.ts';

const EVIL = 'http://evil.example';
let millrace: RunningStart;
let ports: ListeningPort[];

beforeAll(async () => {
  millrace = await startMillrace();
  ports = listeningPortsOf(millrace.child.pid ?? 0);
});

afterAll(async () => {
  millrace.child.kill('SIGTERM');
  await millrace.ended;
});

interface PageRequest {
  line?: string;
  /** `PORT` in the value is the port's number. */
  headers: readonly (readonly [name: string, value: string])[];
  body?: string;
}

async function send(port: number, { line = 'GET /', headers, body = '' }: PageRequest) {
  const named = headers.map(([name, value]) => [name, value.replace('PORT', String(port))] as const);
  const others = [
    ['connection', 'close'],
    ['content-length', String(body.length)],
  ] as const;
  const {
    status,
    headers: answered,
    body: text,
  } = await sendBytes(
    `http://127.0.0.1:${port}`,
    requestBytes(`${line} HTTP/1.1`, [...named, ...others], Buffer.from(body)),
  );
  const { code } = (answered['content-type'] === 'application/problem+json' ? JSON.parse(text) : {}) as {
    code?: string;
  };
  return { status, code, cors: answered['access-control-allow-origin'] };
}

const here = ['host', '127.0.0.1:PORT'] as const;

test('the gateway and the HTTP API are the ports, and both are for this machine only', () => {
  const { apiUrl, awsUrl } = millrace.ready;
  const found = ports.map(({ port }) => `http://127.0.0.1:${port}`);
  expect(new Set(found)).toEqual(new Set([apiUrl, awsUrl]));
  expect(new Set(ports.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
});

describe('every port', () => {
  test.each<[string, PageRequest, string]>([
    ['a foreign Host', { headers: [['host', 'evil.example']] }, 'FOREIGN_HOST'],
    [
      'DNS rebinding: the page believes to talk to its own site',
      {
        headers: [
          ['host', 'evil.example:PORT'],
          ['sec-fetch-site', 'same-origin'],
        ],
      },
      'FOREIGN_HOST',
    ],
    [
      'DNS rebinding: the page signs its requests like an SDK',
      {
        line: 'POST /',
        headers: [
          ['host', 'evil.example:PORT'],
          ['x-amz-target', 'DynamoDB_20120810.ListTables'],
          ['authorization', 'AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/dynamodb/aws4_request'],
          ['content-type', 'application/x-amz-json-1.0'],
        ],
        body: '{}',
      },
      'FOREIGN_HOST',
    ],
    ["another port's name", { headers: [['host', '127.0.0.1:1']] }, 'FOREIGN_HOST'],
    ['a page of a foreign Origin', { headers: [here, ['origin', EVIL]] }, 'FOREIGN_ORIGIN'],
    ['a sandboxed page', { headers: [here, ['origin', 'null']] }, 'FOREIGN_ORIGIN'],
    [
      'the preflight of a foreign page',
      { line: 'OPTIONS /orders', headers: [here, ['origin', EVIL], ['access-control-request-method', 'POST']] },
      'FOREIGN_ORIGIN',
    ],
    [
      'a simple POST across sites',
      {
        line: 'POST /',
        headers: [here, ['origin', EVIL], ['content-type', 'text/plain'], ['sec-fetch-site', 'cross-site']],
        body: '{}',
      },
      'FOREIGN_ORIGIN',
    ],
    ['an image or a link across sites', { headers: [here, ['sec-fetch-site', 'cross-site']] }, 'CROSS_SITE_REQUEST'],
    [
      'a page of another port of this machine',
      {
        headers: [
          ['host', 'localhost:PORT'],
          ['sec-fetch-site', 'same-site'],
        ],
      },
      'CROSS_SITE_REQUEST',
    ],
    [
      'a request that waits to be told to continue',
      { line: 'POST /', headers: [here, ['origin', EVIL], ['expect', '100-continue']], body: '{}' },
      'FOREIGN_ORIGIN',
    ],
  ])('refuses %s', async (_name, request, code) => {
    for (const { port } of ports) {
      expect({ port, ...(await send(port, request)) }).toEqual({ port, status: 403, code, cors: undefined });
    }
  });

  test('answers a client on this machine', async () => {
    for (const { port } of ports) {
      for (const host of ['127.0.0.1:PORT', 'localhost:PORT', '[::1]:PORT']) {
        expect((await send(port, { headers: [['host', host]] })).code).not.toBe('FOREIGN_HOST');
      }
    }
  });
});

describe('an attack', () => {
  const awsPort = () => Number(new URL(millrace.ready.awsUrl).port);

  test('by rebinding reads no mail and gets no token', async () => {
    const rebound = ['host', 'evil.example:PORT'] as const;
    expect(await send(awsPort(), { line: 'GET /_local/messages', headers: [rebound] })).toMatchObject({ status: 403 });
    const wish = JSON.stringify({ sub: 'eve', scope: 'orders:read:all' });
    expect(await send(awsPort(), { line: 'POST /_local/issuer/token', headers: [rebound], body: wish })).toMatchObject({
      status: 403,
    });
  });

  test('by a simple POST invokes no function and forges no event', async () => {
    const headers = [here, ['origin', EVIL], ['content-type', 'text/plain;charset=UTF-8']] as const;
    const event = JSON.stringify({ Records: [] });
    const line = 'POST /2015-03-31/functions/millrace-orders-dev-onOrderProgress/invocations';
    expect(await send(awsPort(), { line, headers, body: event })).toMatchObject({
      status: 403,
      code: 'FOREIGN_ORIGIN',
    });
    // A form can choose where it leads, and the signature may stand in the address.
    const credential = 'X-Amz-Credential=operator/20260101/us-east-1/sqs/aws4_request';
    const body = 'Action=SendMessage&MessageBody=forged';
    expect(
      await send(awsPort(), {
        line: `POST /000000000000/millrace-orders-dev-onOrderProgress?${credential}`,
        headers,
        body,
      }),
    ).toMatchObject({ status: 403, code: 'FOREIGN_ORIGIN' });
  });
});
