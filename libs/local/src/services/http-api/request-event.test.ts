/** What payload format 2.0 makes of a request: sent as bytes, since clients and Node's own view of a request tidy it up. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiUnderTest } from '../../../fixtures/api-under-test.ts';
import { type Declaration, declaredService } from '../../../fixtures/declared-service.ts';

const NOW = Date.UTC(2020, 2, 12, 19, 3, 8, 390);
let api: ApiUnderTest;
let port: number;
beforeEach(() => {
  api = new ApiUnderTest();
});
afterEach(() => api.stop());

async function start(routeKeys = ['ANY /{proxy+}'], declaration: Declaration = {}): Promise<void> {
  const url = await api.start([declaredService('shop', routeKeys, declaration)], { now: () => NOW });
  port = Number(new URL(url).port);
}

/** @param lines of the head, the Host and the end of the connection besides */
async function exchange(lines: string[], body: string | Buffer = ''): Promise<string> {
  const [requestLine = '', ...headers] = lines;
  const head = [requestLine, `Host: 127.0.0.1:${port}`, 'Connection: close', ...headers, '', ''].join('\r\n');
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body as string)]));
  await once(socket, 'close');
  return received;
}

/** The event of a request that a function is called with. */
async function eventOf(lines: string[], body?: string | Buffer) {
  const answer = await exchange(lines, body);
  expect(answer).toMatch(/^HTTP\/1\.1 (100 Continue\r\n\r\nHTTP\/1\.1 )?200 /);
  return api.events.at(-1) as unknown as Record<string, unknown> & { headers: Record<string, string> };
}

const post = (type: string | undefined, length: number) => [
  'POST /a HTTP/1.1',
  ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  `Content-Length: ${length}`,
];

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('headers', () => {
  test('have names in lower case, and what comes twice is joined by a comma, whichever it is', async () => {
    await start();
    const { headers } = await eventOf([
      'GET /a HTTP/1.1',
      'X-Tag: one',
      'x-tAG: two, three',
      'User-Agent: first',
      'User-Agent: second',
      'If-Modified-Since: a',
      'If-Modified-Since: b',
      'Accept:',
      'X-Constructor: \u00fc',
    ]);
    expect(headers).toMatchObject({
      'x-tag': 'one,two, three',
      'user-agent': 'first,second',
      'if-modified-since': 'a,b',
      accept: '',
      'x-constructor': 'ü',
    });
  });

  test('are those of API Gateway, too, and without those of the connection', async () => {
    await start();
    const { headers } = await eventOf(['GET /a HTTP/1.1', 'Keep-Alive: timeout=5', 'TE: trailers', 'Upgrade: h2c']);
    expect(headers).toEqual({
      'content-length': '0',
      host: `127.0.0.1:${port}`,
      'x-amzn-trace-id': expect.stringMatching(/^Root=1-5e6a876c-[0-9a-f]{24}$/),
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': String(port),
      'x-forwarded-proto': 'http',
    });
  });

  test('that a client sends itself do not hide who it is', async () => {
    await start();
    const { headers } = await eventOf([
      'GET /a HTTP/1.1',
      'X-Forwarded-For: 203.0.113.1',
      'X-Forwarded-For: 203.0.113.2',
      'X-Forwarded-Port: 1',
      'X-Forwarded-Proto: https',
      'X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678',
    ]);
    expect(headers).toMatchObject({
      'x-forwarded-for': '203.0.113.1, 203.0.113.2, 127.0.0.1',
      'x-forwarded-port': String(port),
      'x-forwarded-proto': 'http',
      'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678',
    });
  });

  test('may be called __proto__', async () => {
    await start();
    const { headers } = await eventOf(['GET /a HTTP/1.1', '__proto__: x', 'constructor: y']);
    expect(Object.entries(headers)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    );
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('cookies', () => {
  test('are a list of those of all cookie headers, and no header', async () => {
    await start();
    const event = await eventOf(['GET /a HTTP/1.1', 'Cookie: a=1; b="2 3";c=', 'Cookie: d=4; ']);
    expect(event.cookies).toEqual(['a=1', 'b="2 3"', 'c=', 'd=4']);
    expect(event.headers).not.toHaveProperty('cookie');
  });

  test('are absent when there are none', async () => {
    await start();
    expect(await eventOf(['GET /a HTTP/1.1', 'Cookie: '])).not.toHaveProperty('cookies');
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the query', () => {
  test.each<[string, string, Record<string, string> | undefined]>([
    ['', '', undefined],
    ['?', '', undefined],
    ['?a=1&a=2&b=3&a=4', 'a=1&a=2&b=3&a=4', { a: '1,2,4', b: '3' }],
    ['?a=x+y&b=x%20y&c=x%2By', 'a=x+y&b=x%20y&c=x%2By', { a: 'x y', b: 'x y', c: 'x+y' }],
    ['?a=&b', 'a=&b', { a: '', b: '' }],
    ['?a=1%2C2&a=3', 'a=1%2C2&a=3', { a: '1,2,3' }],
    ['?a=b?c=d', 'a=b?c=d', { a: 'b?c=d' }],
    ['?n%C3%BC=%C3%BC', 'n%C3%BC=%C3%BC', { nü: 'ü' }],
    ['?A=1&a=2', 'A=1&a=2', { A: '1', a: '2' }],
  ])('of /a%s', async (query, rawQueryString, parameters) => {
    await start();
    const event = await eventOf([`GET /a${query} HTTP/1.1`]);
    expect([event.rawQueryString, event.queryStringParameters]).toEqual([rawQueryString, parameters]);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the path', () => {
  test.each([
    ['/pets/a%20b', '/pets/a b', 'a b'],
    ['/pets/%C3%BC+%2B', '/pets/ü++', 'ü++'],
    ['/pets/a;v=1', '/pets/a;v=1', 'a;v=1'],
    ['/pets/%7Bid%7D', '/pets/{id}', '{id}'],
  ])('%s is decoded, and so are its parameters', async (path, rawPath, id) => {
    await start(['GET /pets/{id}']);
    const event = await eventOf([`GET ${path}?x=%20 HTTP/1.1`]);
    expect(event).toMatchObject({
      rawPath,
      pathParameters: { id },
      requestContext: { http: { path: rawPath } },
      routeKey: 'GET /pets/{id}',
    });
  });

  test('of a greedy route is one parameter', async () => {
    await start(['GET /pets/{rest+}']);
    const event = await eventOf(['GET /pets/a/b%20c HTTP/1.1']);
    expect(event.pathParameters).toEqual({ rest: 'a/b c' });
  });

  test('without parameters has none', async () => {
    await start(['GET /pets']);
    expect(await eventOf(['GET /pets HTTP/1.1'])).not.toHaveProperty('pathParameters');
  });

  test.each([
    ['with a slash at its end', 'GET /pets/ HTTP/1.1'],
    ['of HEAD', 'HEAD /pets HTTP/1.1'],
    ['of OPTIONS', 'OPTIONS /pets HTTP/1.1'],
  ])('%s is another one', async (_name, requestLine) => {
    await start(['GET /pets']);
    expect(await exchange([requestLine])).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('of HEAD goes to a route for every method, and gets an answer without a body', async () => {
    await start(['ANY /pets']);
    const answer = await exchange(['HEAD /pets HTTP/1.1']);
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\ncontent-length: 4\r\n.*\r\n\r\n$/is);
    expect(api.events).toMatchObject([{ routeKey: 'ANY /pets', requestContext: { http: { method: 'HEAD' } } }]);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the body', () => {
  const text = '{"a":"ü"}';
  const bytes = Buffer.from(text);

  test.each([
    ['application/json'],
    ['Application/JSON; charset=utf-8'],
    ['text/plain'],
    ['text/csv;header=present'],
    ['application/xml'],
    ['application/javascript'],
  ])('of %s is text', async (type) => {
    await start();
    const event = await eventOf(post(type, bytes.length), bytes);
    expect(event).toMatchObject({ body: text, isBase64Encoded: false, headers: { 'content-length': '10' } });
  });

  test.each([
    ['application/octet-stream'],
    ['application/x-www-form-urlencoded'],
    ['application/problem+json'],
    ['application/json-seq'],
    ['multipart/form-data; boundary=text/plain'],
    [undefined],
  ])('of %s is in base64', async (type) => {
    await start();
    const event = await eventOf(post(type, bytes.length), bytes);
    expect(event).toMatchObject({ body: bytes.toString('base64'), isBase64Encoded: true });
  });

  test('that is empty is absent', async () => {
    await start();
    const event = await eventOf(post('application/octet-stream', 0));
    expect(event).not.toHaveProperty('body');
    expect(event.isBase64Encoded).toBe(false);
  });

  test('in chunks is whole, and its length is known', async () => {
    await start();
    const event = await eventOf(
      ['POST /a HTTP/1.1', 'Content-Type: text/plain', 'Transfer-Encoding: chunked'],
      '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    );
    expect(event).toMatchObject({ body: 'abcde', headers: { 'content-length': '5' } });
    expect(event.headers).not.toHaveProperty('transfer-encoding');
  });

  test('may wait until it is asked for', async () => {
    await start();
    const event = await eventOf([...post('text/plain', 3), 'Expect: 100-continue'], 'abc');
    expect(event.body).toBe('abc');
    expect(event.headers).not.toHaveProperty('expect');
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the context', () => {
  test('says who asked for what, when and where', async () => {
    await start(['GET /pets/{id}'], {
      others: { Stage: { StageName: '$default', StageVariables: { colour: 'red' } } },
    });
    const event = await eventOf(['GET /pets/1 HTTP/1.1', 'User-Agent: test']);
    expect(event).toMatchObject({
      version: '2.0',
      stageVariables: { colour: 'red' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'api-shop',
        domainName: '127.0.0.1',
        domainPrefix: '127',
        http: { method: 'GET', path: '/pets/1', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: expect.any(String),
        routeKey: 'GET /pets/{id}',
        stage: '$default',
        time: '12/Mar/2020:19:03:08 +0000',
        timeEpoch: NOW,
      },
    });
  });

  test('has no stage of another name', async () => {
    const declared = start(['GET /a'], { others: { Stage: { StageName: 'v1' } } });
    await expect(declared).rejects.toThrow('shop: TheStage is named "v1"');
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
describe('a request line and headers', () => {
  const filler = (bytes: number) => {
    const line = 'GET /a HTTP/1.1';
    const others = line.length + `127.0.0.1:${port}`.length + 'close'.length;
    return [line, `X-Filler: ${'x'.repeat(bytes - others)}`];
  };

  test('of 10,240 bytes are taken', async () => {
    await start();
    await eventOf(filler(10_240));
  });

  test('of one more are a 431, and no function is called', async () => {
    await start();
    expect(await exchange(filler(10_241))).toMatch(
      /^HTTP\/1\.1 431 .*\r\n\r\n\{"message":"Request Header Fields Too Large"\}$/s,
    );
    expect(api.events).toEqual([]);
  });
});
