import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type HttpEndpoint, httpEndpoint } from '../../fixtures/http-endpoint.ts';
import { ManualClock } from './clock.ts';
import { type OutgoingOptions, outgoingHttp } from './outgoing-http.ts';

let endpoint: HttpEndpoint;
beforeEach(async () => {
  endpoint = await httpEndpoint();
});
afterEach(async () => {
  await endpoint[Symbol.asyncDispose]();
});

const clock = new ManualClock(0);
const send = (url: string, options: Partial<OutgoingOptions> = {}) =>
  outgoingHttp({ clock, ...options })({ method: 'POST', url: new URL(url), headers: {}, body: '{}', timeout: 5000 });

test('a request reaches this machine, under a name or an address', async () => {
  const { port } = new URL(endpoint.url);
  endpoint.answer = (_request, response) => response.writeHead(201).end('made');
  for (const host of ['127.0.0.1', 'localhost', 'hook.localhost', '127.1']) {
    const answer = await send(`http://${host}:${port}/`);
    expect([answer.status, answer.body.toString()]).toEqual([201, 'made']);
  }
  expect(endpoint.requests.map(({ headers }) => headers.host)).toContain(`hook.localhost:${port}`);
});

test.each<[string, string, Partial<OutgoingOptions>, string]>([
  ['a host that is not allowed', 'https://api.example.com/', {}, '--allow-host api.example.com'],
  ['a name that ends like this machine', 'http://127.0.0.1.example.com/', {}, 'is not this machine'],
  ['an address of a network', 'http://10.0.0.1/', {}, 'is not this machine'],
  ['the metadata of a machine', 'http://169.254.169.254/', { allowedHosts: ['169.254.169.254'] }, 'need https'],
  ['the metadata over HTTPS', 'https://169.254.169.254/', { allowedHosts: ['169.254.169.254'] }, 'no public address'],
  ['an allowed host without HTTPS', 'http://api.example.com/', { allowedHosts: ['api.example.com'] }, 'need https'],
])('%s gets nothing', async (_what, url, options, message) => {
  await expect(send(url, options)).rejects.toMatchObject({
    reason: 'forbidden',
    message: expect.stringContaining(message),
  });
});

test.each([
  ...['10.1.2.3', '127.0.0.1', '169.254.169.254', '172.31.0.1', '192.168.1.1', '100.64.0.1', '0.0.0.0', '::1'],
  ...['fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1'],
])('an allowed host whose name resolves to %s gets nothing', async (address) => {
  const options = { allowedHosts: ['api.example.com'], resolve: async () => [address] };
  await expect(send('https://api.example.com/', options)).rejects.toMatchObject({ message: /no public address/ });
});

test('an answer that is too late is an error by the clock', async () => {
  endpoint.answer = () => void clock.advance(5000);
  await expect(send(endpoint.url)).rejects.toMatchObject({ reason: 'timeout' });
});

test('of a long answer only the first MiB is read', async () => {
  endpoint.answer = (_request, response) => response.end(Buffer.alloc(2 * 1024 * 1024));
  expect((await send(endpoint.url)).body).toHaveLength(1024 * 1024);
});
