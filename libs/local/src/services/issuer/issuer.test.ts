import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { findFreePort, listenOnLoopback, PortTakenError } from '../../core/port.ts';
import { Issuer } from './issuer.ts';
import { requestToken } from './request-token.ts';
import { provideSigningKey } from './signing-key.ts';
import { type RunningIssuer, startIssuer } from './start-issuer.ts';

const audience = 'https://api.example';
let issuer: RunningIssuer;
beforeAll(async () => {
  issuer = await startIssuer({ port: 0, audience });
});
afterAll(() => issuer.stop());

const ask = async (body: string) => {
  const response = await fetch(`${issuer.url}/token`, { method: 'POST', body });
  return {
    status: response.status,
    body: (await response.json()) as { message?: string; token?: string; expiresAt?: string },
  };
};

describe('a token', () => {
  test('verifies by the keys that the discovery document leads to', async () => {
    const token = await requestToken(issuer.url, { subject: 'ada', scope: 'orders:read orders:write' });
    const configuration = await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json();
    expect(configuration).toMatchObject({ issuer: issuer.url, jwks_uri: `${issuer.url}/.well-known/jwks.json` });
    const keys = createRemoteJWKSet(new URL((configuration as { jwks_uri: string }).jwks_uri));
    const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: issuer.url, audience });
    expect(payload).toMatchObject({ sub: 'ada', scope: 'orders:read orders:write', jti: expect.any(String) });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
    expect(protectedHeader).toEqual({ alg: 'RS256', kid: expect.any(String), typ: 'JWT' });
  });

  test('is what was asked for', async () => {
    const wish = { subject: 'eve', scope: '', expiresIn: -60, issuer: 'https://elsewhere.example', audience: 'other' };
    const claims = decodeJwt(await requestToken(issuer.url, wish));
    expect(claims).toMatchObject({ iss: 'https://elsewhere.example', aud: 'other', sub: 'eve', scope: '' });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(-60);
  });

  test('comes with the time of its end', async () => {
    const { body } = await ask('{"sub":"ada","scope":"a","expiresIn":60}');
    expect(Date.parse(body.expiresAt ?? '') / 1000).toBe(decodeJwt(body.token ?? '').exp);
  });

  test('is for every audience of its issuer', async () => {
    const key = await provideSigningKey();
    const clock = { now: () => 60_000 };
    const issuer = 'https://auth.example';
    const several = new Issuer({ issuer, audiences: ['a', 'b'], key, url: 'http://127.0.0.1', clock });
    const { body } = await several.answer({ method: 'POST', path: '/token', body: '{"sub":"ada","scope":""}' });
    expect(decodeJwt((body as { token: string }).token)).toMatchObject({ aud: ['a', 'b'], iat: 60 });
  });

  test.each([
    ['nonsense', /must be a JSON object/],
    ['[]', /must be a JSON object/],
    ['{"scope":"a"}', /"sub" must be a text/],
    ['{"sub":" ","scope":"a"}', /"sub" must be a text/],
    ['{"sub":"ada"}', /"scope" must be scopes/],
    ['{"sub":"ada","scope":"a  b"}', /"scope" must be scopes/],
    ['{"sub":"ada","scope":["a"]}', /"scope" must be scopes/],
    ['{"sub":"ada","scope":"a","expiresIn":"1h"}', /"expiresIn" must be a whole number/],
    ['{"sub":"ada","scope":"a","expiresIn":1e12}', /"expiresIn" must be a whole number/],
    ['{"sub":"ada","scope":"a","issuer":""}', /"issuer" must be a text/],
    ['{"sub":"ada","scope":"a","audience":[]}', /"audience" must be a text/],
    ['{"sub":"ada","scope":"a","email":7}', /"email" must be a text/],
    ['{"sub":"ada","scope":"a","phone":""}', /"phone" must be a text/],
    ['{"sub":"ada","scopes":"a"}', /"scopes" is none of/],
  ])('for %s is a 400 that says why', async (body, message) => {
    expect(await ask(body)).toEqual({ status: 400, body: { message: expect.stringMatching(message) } });
  });

  test('that cannot be had is an error with the reason', async () => {
    await expect(requestToken(issuer.url, { subject: '', scope: 'a' })).rejects.toThrow(
      `${issuer.url} gives no token: "sub" must be a text`,
    );
    const nobody = `http://127.0.0.1:${await findFreePort()}`;
    await expect(requestToken(nobody, { subject: 'ada', scope: 'a' })).rejects.toThrow(
      `Nothing answers at ${nobody}: is npm start running?`,
    );
  });
});

test('the keys show nothing private, and other paths are not there', async () => {
  const keys = await (await fetch(`${issuer.url}/.well-known/jwks.json`)).json();
  const shown = { kty: 'RSA', n: expect.any(String), e: 'AQAB', kid: expect.any(String), alg: 'RS256', use: 'sig' };
  expect(keys).toEqual({ keys: [shown] });
  expect((await fetch(`${issuer.url}/token`)).status).toBe(404);
});

test('a taken port is an error of its own', async () => {
  const other = createServer();
  const port = await listenOnLoopback(other, 0);
  try {
    await expect(startIssuer({ port, audience })).rejects.toThrow(PortTakenError);
  } finally {
    other.close();
  }
});

describe('a data directory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const path = () => join(directory, 'issuer-key.json');

  test('keeps the key for its owner alone', async () => {
    const first = await provideSigningKey(directory);
    expect((await provideSigningKey(directory)).kid).toBe(first.kid);
    expect((await provideSigningKey()).kid).not.toBe(first.kid);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['issuer-key.json']);
  });

  test.each(['', '{}', 'null', '{"kty":"oct","k":"AAAA"}', 'public'])(
    'with %j in the place of the key is an error that names the file',
    async (content) => {
      const { n, e } = JSON.parse(await readFile(path(), 'utf8'));
      await writeFile(path(), content === 'public' ? JSON.stringify({ kty: 'RSA', n, e }) : content);
      try {
        await expect(provideSigningKey(directory)).rejects.toThrow(`${path()} holds no RSA key; delete it`);
      } finally {
        await rm(path());
        await provideSigningKey(directory);
      }
    },
  );
});
