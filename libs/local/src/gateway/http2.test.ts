import type { Server } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createGuardedServer } from '../core/guarded-server.ts';
import { listenOnLoopback } from '../core/port.ts';
import { closeServer } from '../core/reserved-port.ts';

let server: Server;
let port: number;
let session: ClientHttp2Session;

beforeEach(async () => {
  server = createGuardedServer(
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { method, url, headers, httpVersion } = request;
      response
        .writeHead(200, { 'x-host': headers.host ?? '' })
        .end(`${httpVersion} ${method} ${url} ${Buffer.concat(chunks)}`);
    },
    { speaksHttp2: true },
  );
  await listenOnLoopback(server, 0);
  port = (server.address() as AddressInfo).port;
  session = connect(`http://127.0.0.1:${port}`);
});

afterEach(async () => {
  session.destroy();
  await closeServer(server);
});

function send(headers: Record<string, string>, body = ''): Promise<{ status: number; host: unknown; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
    const answer = { status: 0, host: undefined as unknown, text: '' };
    stream.on('response', (received) =>
      Object.assign(answer, { status: received[':status'], host: received['x-host'] }),
    );
    stream.setEncoding('utf8').on('data', (text: string) => (answer.text += text));
    stream.on('end', () => resolve(answer)).on('error', reject);
    stream.end(body);
  });
}

// https://www.rfc-editor.org/rfc/rfc9113#section-3.3
describe('HTTP/2 without TLS', () => {
  test('is answered on the port that answers HTTP/1.1', async () => {
    expect(await send({ ':path': '/a?b=c' }, 'body')).toEqual({
      status: 200,
      host: `127.0.0.1:${port}`,
      text: '2.0 POST /a?b=c body',
    });
    for (const method of ['PUT', 'POST', 'PATCH']) {
      const response = await fetch(`http://127.0.0.1:${port}/x`, { method, body: 'y'.repeat(100_000) });
      expect(await response.text()).toBe(`1.1 ${method} /x ${'y'.repeat(100_000)}`);
    }
  });

  test('is refused for a foreign :authority, for a Host that differs from it, and for a page', async () => {
    const authority = `127.0.0.1:${port}`;
    expect((await send({ ':authority': authority })).status).toBe(200);
    for (const headers of [
      { ':authority': 'evil.example' },
      { ':authority': authority, host: 'evil.example' },
      { ':authority': authority, origin: 'https://evil.example' },
    ]) {
      expect(await send(headers)).toMatchObject({ status: 403, text: expect.stringContaining('"title":"Forbidden"') });
    }
  });

  test('ends with the server, as do connections that have said nothing', async () => {
    await send({});
    const silent = connectSocket(port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const ended = Promise.all([session, silent].map((each) => new Promise((resolve) => each.once('close', resolve))));
    session.on('error', () => undefined);
    silent.on('error', () => undefined).resume();
    await closeServer(server);
    await ended;
  });

  test('a connection that its client ends before the first byte is closed', async () => {
    const silent = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true });
    const closed = new Promise((resolve) => silent.once('close', resolve));
    silent.resume().end();
    await new Promise((resolve) => silent.once('end', resolve));
    await closed;
  });

  test('a request line that comes byte by byte is read as HTTP/1.1', async () => {
    const socket = connectSocket(port, '127.0.0.1').setNoDelay(true);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (const byte of `PUT /z HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`) {
      await new Promise((resolve) => socket.write(byte, resolve));
    }
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*1\.1 PUT \/z /);
  });
});
