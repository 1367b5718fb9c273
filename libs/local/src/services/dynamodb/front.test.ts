import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { findFreePort, listenOnLoopback } from '../../core/port.ts';
import { type DynamoDbFront, type FrontRequest, startDynamoDbFront } from './front.ts';

/** What a server was asked, a line each: `<operation> <body>`. */
let passed: string[] = [];
let handedOver: string[] = [];
let decided: FrontRequest[] = [];
let front: DynamoDbFront;
const servers: Server[] = [];

/** A server that notes what it is asked and always answers the same. */
async function serve(asked: () => string[], status: number, answer: object): Promise<string> {
  const server = createServer(async (request, response) => {
    asked().push(`${String(request.headers['x-amz-target']).split('.')[1]} ${await bodyOf(request)}`);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
  });
  servers.push(server);
  return `http://127.0.0.1:${await listenOnLoopback(server, 0)}`;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

beforeAll(async () => {
  const endpoint = await serve(() => passed, 200, { Item: { pk: { S: 'found' } } });
  await serve(() => handedOver, 400, { __type: 'AccessDeniedException', message: 'not you' });
  const [, gateway] = servers;
  if (!gateway) throw new Error('no gateway');
  front = await startDynamoDbFront({
    endpoint,
    gateway,
    allows: (request) => {
      decided.push({ ...request, body: Buffer.from(request.body) });
      return request.operation === 'GetItem';
    },
  });
});

afterAll(async () => {
  await front.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

beforeEach(() => {
  passed = [];
  handedOver = [];
  decided = [];
});

const clientOf = (endpoint: string) =>
  new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'shop-dev-relay', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
const get = new GetItemCommand({ TableName: 'orders', Key: { pk: { S: 'é' } } });
const put = new PutItemCommand({ TableName: 'orders', Item: { pk: { S: '1' } } });

test('what is allowed passes as it is, one request after another', async () => {
  const client = clientOf(front.url);
  for (const _time of [1, 2, 3]) expect((await client.send(get)).Item).toEqual({ pk: { S: 'found' } });
  const body = '{"TableName":"orders","Key":{"pk":{"S":"é"}}}';
  expect(passed.map((line) => [line.split(' ')[0], JSON.parse(line.slice(8))])).toEqual(
    Array.from({ length: 3 }, () => ['GetItem', JSON.parse(body)]),
  );
  expect(decided[0]).toMatchObject({ accessKeyId: 'shop-dev-relay', operation: 'GetItem' });
  expect(JSON.parse(decided[0]?.body.toString() ?? '')).toEqual(JSON.parse(body));
  expect(handedOver).toEqual([]);
});

test('what is not allowed is answered by the gateway, and so is what comes on the same connection', async () => {
  const client = clientOf(front.url);
  await client.send(get);
  await expect(client.send(put)).rejects.toMatchObject({ name: 'AccessDeniedException', message: 'not you' });
  await expect(client.send(get)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  expect(passed).toHaveLength(1);
  expect(handedOver.map((line) => line.split(' ')[0])).toEqual(['PutItem', 'GetItem']);
});

test('a request that comes in pieces is decided upon as a whole', async () => {
  const body = '{"TableName":"orders"}';
  const head = [
    'POST / HTTP/1.1',
    `Host: ${new URL(front.url).host}`,
    'X-Amz-Target: DynamoDB_20120810.GetItem',
    'Authorization: AWS4-HMAC-SHA256 Credential=relay/20260101/us-east-1/dynamodb/aws4_request, Signature=x',
    `Content-Length: ${body.length}`,
  ].join('\r\n');
  const text = `${head}\r\n\r\n${body}`;
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(front.url).port), noDelay: true });
  const answered = new Promise<string>((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  for (const piece of [
    text.slice(0, 20),
    text.slice(20, head.length + 3),
    text.slice(head.length + 3, -5),
    text.slice(-5),
  ]) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await new Promise(setImmediate);
  }
  expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();
  expect(decided).toMatchObject([{ accessKeyId: 'relay', operation: 'GetItem' }]);
  expect(passed).toEqual([`GetItem ${body}`]);
});

test.each([
  ['a body of unknown length', { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'transfer-encoding': 'chunked' }],
  ['the streams of tables', { 'x-amz-target': 'DynamoDBStreams_20120810.GetRecords', 'content-length': '2' }],
])('%s is left to the gateway', async (_what, headers) => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(front.url, { method: 'POST', headers }).on('response', resolve).on('error', reject).end('{}');
  });
  expect(answer.statusCode).toBe(400);
  answer.resume();
  expect(handedOver).toEqual([`${String(headers['x-amz-target']).split('.')[1]} {}`]);
  expect(passed).toEqual([]);
});

test('a connection ends when DynamoDB is not there', async () => {
  const [, gateway] = servers;
  if (!gateway) throw new Error('no gateway');
  const endpoint = `http://127.0.0.1:${await findFreePort()}`;
  const alone = await startDynamoDbFront({ endpoint, gateway, allows: () => true });
  await expect(clientOf(alone.url).send(get)).rejects.toThrow();
  await alone.stop();
});
