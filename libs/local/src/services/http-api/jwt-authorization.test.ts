import { connect } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CompactSign, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { ApiUnderTest } from '../../../fixtures/api-under-test.ts';
import { declaredService } from '../../../fixtures/declared-service.ts';
import { provideSigningKey, type SigningKey } from '../issuer/signing-key.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const SECOND = NOW / 1000;
const issuer = 'https://auth.example';
const audience = 'https://api.example';

let key: SigningKey;
let other: CryptoKey;
let api: ApiUnderTest;
beforeAll(async () => {
  key = await provideSigningKey();
  other = (await generateKeyPair('RS256')).privateKey;
});
beforeEach(() => {
  api = new ApiUnderTest();
});
afterEach(() => api.stop());

const authorizer = (properties: Record<string, unknown> = {}) => ({
  AuthorizerType: 'JWT',
  IdentitySource: ['$request.header.Authorization'],
  JwtConfiguration: { Issuer: issuer, Audience: ['https://other.example', audience] },
  ...properties,
});

function service({
  scopes,
  ...properties
}: { scopes?: string[] | undefined } & Record<string, unknown> = {}): ReturnType<typeof declaredService> {
  return declaredService('orders', ['POST /orders', 'GET /orders'], {
    route: {
      AuthorizationType: 'JWT',
      AuthorizerId: 'orders-authorizer',
      ...(scopes ? { AuthorizationScopes: scopes } : {}),
    },
    others: { Authorizer: authorizer(properties) },
  });
}

const start = (declared = service()) =>
  api.start([declared], { verificationKeys: { keys: [key.publicJwk] }, now: () => NOW });

/** A token that is valid unless something is said; a claim that is undefined is left out. */
async function token(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  signer: CryptoKey | Uint8Array = key.privateKey,
): Promise<string> {
  const all = { iss: issuer, aud: audience, sub: 'ada', iat: SECOND, exp: SECOND + 1, scope: 'orders:read', ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: key.kid, ...header }).sign(signer);
}

async function get(url: string, authorization?: string) {
  const response = await fetch(`${url}/orders`, { headers: authorization === undefined ? {} : { authorization } });
  const text = await response.text();
  return { status: response.status, text, challenge: response.headers.get('www-authenticate') };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
describe('a token', () => {
  test.each([
    ['after Bearer', async () => `Bearer ${await token()}`],
    ['alone', () => token()],
    ['for several audiences', () => token({ aud: ['https://elsewhere.example', audience] })],
    ['with a client_id instead of an audience', () => token({ aud: undefined, client_id: audience })],
    ['that begins now', () => token({ nbf: SECOND })],
    ['without iat', () => token({ iat: undefined })],
  ])('%s opens the route', async (_name, make) => {
    expect(await get(await start(), await make())).toEqual({ status: 200, text: 'fine', challenge: null });
  });

  test.each(['RS384', 'RS512'])('of %s opens the route when the key is for it', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const keys = [key.publicJwk, { ...(await exportJWK(pair.publicKey)), alg, kid: 'second' }];
    const url = await api.start([service()], { verificationKeys: { keys }, now: () => NOW });
    expect((await get(url, await token({}, { alg, kid: 'second' }, pair.privateKey))).status).toBe(200);
  });

  test.each<[string, RegExp, () => string | Promise<string>]>([
    ['of garbage', /token contains an invalid number of segments/, () => 'Bearer nonsense'],
    ['of garbage in three parts', /malformed/, () => 'Bearer a.b.c'],
    ['of another scheme', /invalid number of segments/, () => `Basic ${Buffer.from('ada:pass').toString('base64')}`],
    [
      'whose payload is no object',
      /malformed/,
      () => {
        const bytes = new TextEncoder().encode('"x"');
        return new CompactSign(bytes).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey);
      },
    ],
    ['that has expired', /the token has expired/, () => token({ exp: SECOND })],
    ['without exp', /valid exp/, () => token({ exp: undefined })],
    ['whose exp is text', /valid exp/, () => token({ exp: String(SECOND + 60) })],
    ['that is not valid yet', /not valid yet/, () => token({ nbf: SECOND + 1 })],
    ['from the future', /not valid yet/, () => token({ iat: SECOND + 1, exp: SECOND + 60 })],
    ['of another issuer', /valid issuer/, () => token({ iss: `${issuer}/` })],
    ['of no issuer', /valid iss/, () => token({ iss: undefined })],
    [
      'for another audience',
      /the token does not have a valid audience/,
      () => token({ aud: 'https://elsewhere.example' }),
    ],
    ['for no audience', /valid audience/, () => token({ aud: undefined })],
    [
      'for another audience, whatever its client_id',
      /valid audience/,
      () => token({ aud: 'else', client_id: audience }),
    ],
    [
      'of alg none',
      /not signed with RS256/,
      async () => {
        const [, payload] = (await token()).split('.');
        return `${encode({ alg: 'none', kid: key.kid })}.${payload}.`;
      },
    ],
    [
      'of HS256 with the public key for a secret',
      /not signed with RS256/,
      async () => {
        const publicKey = await importJWK(key.publicJwk, 'RS256', { extractable: true });
        const secret = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey));
        return token({}, { alg: 'HS256' }, secret);
      },
    ],
    [
      'of PS256',
      /not signed with RS256/,
      async () => {
        const { privateKey } = await generateKeyPair('PS256');
        return token({}, { alg: 'PS256' }, privateKey);
      },
    ],
    ['of an unknown kid', /not signed by a key of the issuer/, () => token({}, { kid: 'other' })],
    ['without kid', /does not name its key/, () => token({}, { kid: undefined })],
    ['signed by another key', /signature of the token is not valid/, () => token({}, {}, other)],
    [
      'that was changed',
      /signature of the token is not valid/,
      async () => {
        const [header, , signature] = (await token()).split('.');
        const claims = { iss: issuer, aud: audience, sub: 'eve', exp: SECOND + 60 };
        return `${header}.${encode(claims)}.${signature}`;
      },
    ],
    [
      'with a critical extension',
      /malformed/,
      async () => {
        const [, payload, signature] = (await token()).split('.');
        return `${encode({ alg: 'RS256', kid: key.kid, crit: ['x'], x: 1 })}.${payload}.${signature}`;
      },
    ],
  ])('%s is a 401 that says why, and no function is asked', async (_name, reason, make) => {
    const answer = await get(await start(), await make());
    expect(answer).toEqual({
      status: 401,
      text: '{"message":"Unauthorized"}',
      challenge: expect.stringMatching(/^Bearer scope="" error="invalid_token" error_description="[^"]+"$/),
    });
    expect(answer.challenge).toMatch(reason);
    expect(api.events).toEqual([]);
    expect(api.warnings).toEqual([]);
  });

  test.each([[undefined], [''], ['Bearer'], ['Bearer ']])('that is %j is a 401', async (authorization) => {
    const answer = await get(await start(), authorization);
    expect(answer).toMatchObject({ status: 401, text: '{"message":"Unauthorized"}' });
    expect(answer.challenge).toMatch(/^Bearer/);
    expect(api.events).toEqual([]);
  });

  test('is refused before the body is asked for', async () => {
    const { port, host } = new URL(await start());
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
      socket.write(`POST /orders HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('that is good lets the body through', async () => {
    const url = await start();
    const headers = { authorization: await token(), 'content-type': 'text/plain' };
    const response = await fetch(`${url}/orders`, { method: 'POST', headers, body: 'x'.repeat(200_000) });
    expect(response.status).toBe(200);
    expect(api.events[0]?.body).toHaveLength(200_000);
  });

  test('is looked for where the template says', async () => {
    const inQuery = await start(service({ IdentitySource: ['$request.querystring.access_token'] }));
    expect((await get(inQuery, await token())).status).toBe(401);
    expect((await fetch(`${inQuery}/orders?access_token=${await token()}`)).status).toBe(200);
    await api.stop();
    const inHeader = await start(service({ IdentitySource: ['$request.header.X-Token'] }));
    expect((await fetch(`${inHeader}/orders`, { headers: { 'x-token': await token() } })).status).toBe(200);
  });

  test('is worth nothing where no keys are known', async () => {
    const url = await api.start([service()], { now: () => NOW });
    expect((await get(url, await token())).status).toBe(401);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
describe('scopes', () => {
  test.each([
    ['one of several in scope', { scope: 'stock:read orders:write' }],
    ['scope as a list', { scope: ['stock:read', 'orders:write'] }],
    ['scp as a list', { scope: undefined, scp: ['orders:write'] }],
    ['scp as text', { scope: undefined, scp: 'orders:write orders:read' }],
  ])('%s open the route', async (_name, claims) => {
    const url = await start(service({ scopes: ['orders:write', 'orders:admin'] }));
    expect((await get(url, await token(claims))).status).toBe(200);
  });

  test.each([
    ['another one', { scope: 'orders:read' }],
    ['a longer one', { scope: 'orders:write:all' }],
    ['none', { scope: undefined }],
    ['what is no text', { scope: { 'orders:write': true } }],
  ])('%s is a 403', async (_name, claims) => {
    const url = await start(service({ scopes: ['orders:write', 'orders:admin'] }));
    expect(await get(url, await token(claims))).toEqual({
      status: 403,
      text: '{"message":"Forbidden"}',
      challenge:
        'Bearer scope="orders:write orders:admin" error="insufficient_scope" ' +
        `error_description="the token has none of the route's scopes"`,
    });
    expect(api.events).toEqual([]);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
describe('the event', () => {
  test('has the claims as text', async () => {
    const url = await start();
    const claims = {
      sub: 'ada',
      groups: ['a', 'b'],
      verified: true,
      nickname: null,
      address: { country: 'DE' },
      exp: SECOND + 60,
    };
    await get(url, await token(claims));
    expect(api.events[0]?.requestContext.authorizer).toEqual({
      jwt: {
        claims: {
          iss: issuer,
          aud: audience,
          sub: 'ada',
          iat: String(SECOND),
          exp: String(SECOND + 60),
          scope: 'orders:read',
          groups: '[a b]',
          verified: 'true',
          address: '{"country":"DE"}',
        },
        scopes: null,
      },
    });
  });

  test('has the scopes where the route asks for some', async () => {
    const url = await start(service({ scopes: ['orders:read'] }));
    await get(url, await token({ scope: 'orders:read orders:write' }));
    expect(api.events[0]?.requestContext.authorizer?.jwt.scopes).toEqual(['orders:read', 'orders:write']);
  });

  test('has no authorizer where the route has none', async () => {
    const url = await start(declaredService('orders', ['GET /orders'], { route: { AuthorizationType: 'NONE' } }));
    expect((await get(url, 'Bearer nonsense')).status).toBe(200);
    expect(api.events[0]?.requestContext).not.toHaveProperty('authorizer');
  });
});

describe('a template is refused at start', () => {
  test.each([
    ['of another type', { AuthorizerType: 'REQUEST' }, /orders: the authorizer TheAuthorizer has the type REQUEST/],
    ['of a query and a header', { IdentitySource: ['$request.header.A', '$request.querystring.a'] }, /identity source/],
    ['of a context variable', { IdentitySource: ['$context.path'] }, /not \["\$context.path"\]/],
    ['without an identity source', { IdentitySource: undefined }, /identity source/],
    ['without an issuer', { JwtConfiguration: { Audience: ['a'] } }, /no JwtConfiguration.Issuer/],
    ['without an audience', { JwtConfiguration: { Issuer: issuer } }, /no JwtConfiguration.Audience/],
  ])('for an authorizer %s', async (_name, properties, message) => {
    await expect(start(service(properties))).rejects.toThrow(message);
  });

  test.each([
    [{ AuthorizationType: 'AWS_IAM' }, /Route0 \(GET \/orders\) has the authorization type AWS_IAM/],
    [{ AuthorizationType: 'CUSTOM', AuthorizerId: 'x' }, /has the authorization type CUSTOM/],
    [{ AuthorizationType: 'JWT', AuthorizerId: 'elsewhere' }, /no authorizer of its own stack/],
  ])('for a route with %j', async (route, message) => {
    const declared = declaredService('orders', ['GET /orders'], { route, others: { Authorizer: authorizer() } });
    await expect(start(declared)).rejects.toThrow(message);
  });
});
