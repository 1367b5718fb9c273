import {
  DynamoDBServiceException,
  InternalServerError,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, jest, test } from '@jest/globals';
import { PermanentError, TransientError } from '@millrace/errors';
import { timeLeft } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import { httpRequest, lambdaContext } from '@millrace/testing';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import {
  type AnswerOnce,
  type EndpointRequest,
  type EndpointResponse,
  endpoint,
  type HttpApiEvent,
  HttpError,
  MAX_BODY_BYTES,
} from './index.ts';

const bookingSchema = z.strictObject({
  guest: z.string().min(1),
  nights: z.int().positive(),
  beds: z.array(z.strictObject({ size: z.enum(['single', 'double']) })).max(4),
  note: z.string().optional(),
});
const booking = { guest: 'ada', nights: 2, beds: [{ size: 'single' }] };
const pathSchema = z.object({ hotel: z.string().regex(/^[a-z]+$/) });

type Booking = z.output<typeof bookingSchema>;
type Request = EndpointRequest<z.output<typeof pathSchema>, Booking>;

const route = 'POST /hotels/{hotel}/bookings';
const request = (body?: unknown, headers: Record<string, string> = {}) =>
  httpRequest(route, { path: { hotel: 'ritz' }, headers, ...(body === undefined ? {} : { body }) });

/** An endpoint that records its requests and answers by `handle`. */
function setUp(handle: (request: Request) => Promise<EndpointResponse> = async () => ({ status: 202 })) {
  const requests: Request[] = [];
  const handler = endpoint({ path: pathSchema, body: bookingSchema }, async (given) => {
    requests.push(given);
    return handle(given);
  });
  return { requests, send: (event: HttpApiEvent) => handler(event, lambdaContext()) };
}

const jsonOf = ({ body }: APIGatewayProxyStructuredResultV2) => JSON.parse(body ?? '');

/** What a refused request is told: status, code and fields. */
async function refusal(event: HttpApiEvent) {
  const { send, requests } = setUp();
  const answer = await send(event);
  const problem = jsonOf(answer);

  expect(requests).toEqual([]);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json' });
  expect(problem).toMatchObject({ type: 'about:blank', title: expect.any(String), status: answer.statusCode });
  return {
    status: answer.statusCode,
    code: problem.code,
    fields: ((problem.errors ?? []) as { field: string }[]).map(({ field }) => field),
    headers: answer.headers,
    problem,
  };
}

describe('a sound request', () => {
  test('is handed on validated and answered with JSON', async () => {
    const { send, requests } = setUp(async () => ({
      status: 201,
      body: { id: 'b-1' },
      headers: { location: '/bookings/b-1' },
    }));

    const answer = await send(request(booking));

    expect(requests).toMatchObject([{ path: { hotel: 'ritz' }, body: booking }]);
    expect(answer).toEqual({
      statusCode: 201,
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'x-correlation-id': expect.any(String),
        location: '/bookings/b-1',
      }),
      body: '{"id":"b-1"}',
    });
  });

  test('may arrive as base64', async () => {
    const { send, requests } = setUp();
    const event = request(Buffer.from(JSON.stringify({ ...booking, guest: 'Zoë 😀' })).toString('base64'));

    const answer = await send({ ...event, isBase64Encoded: true });

    expect(answer).toMatchObject({ statusCode: 202, body: '' });
    expect(requests[0]?.body.guest).toBe('Zoë 😀');
  });

  test('continues the trace of its caller, or begins one', async () => {
    const { send, requests } = setUp();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

    await send(request(booking, { traceparent }));
    await send(request(booking, { traceparent: 'nonsense' }));

    expect(requests[0]?.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    expect(requests[1]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('has a correlation id of its own, whatever its caller sends', async () => {
    const { send, requests } = setUp();
    const another = '0b9f6c1e-5a43-4c0e-9a51-6f4d4c1c2a11';

    const answers = [await send(request(booking, { 'x-correlation-id': another })), await send(request(booking))];

    const ids = requests.map(({ correlationId }) => correlationId);
    expect(new Set([another, ...ids]).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(answers.map(({ headers }) => headers?.['x-correlation-id'])).toEqual(ids);
  });

  test('that has no body contract has no body, or an empty one', async () => {
    const handler = endpoint({}, async () => ({ status: 200, body: null }));
    const answerTo = (event: HttpApiEvent) => handler(event, lambdaContext());

    expect(await answerTo(httpRequest('POST /'))).toMatchObject({ statusCode: 200, body: 'null' });
    expect(await answerTo(httpRequest('POST /', { body: {} }))).toMatchObject({ statusCode: 200 });
    expect(jsonOf(await answerTo(httpRequest('POST /', { body: { reason: 'late' } })))).toMatchObject({
      status: 400,
      errors: [{ field: '/reason', detail: 'Unknown field' }],
    });
    expect(await answerTo(httpRequest('POST /', { body: 'hello' }))).toMatchObject({ statusCode: 400 });
  });
});

describe('the caller', () => {
  test('is who the verified token says', async () => {
    const { send, requests } = setUp();
    const claims = { sub: 'ada', scope: 'bookings:read bookings:write', iss: 'https://auth.example.com' };

    await send(httpRequest(route, { path: { hotel: 'ritz' }, body: booking, claims }));

    expect(requests[0]?.caller).toEqual({ subject: 'ada', scopes: ['bookings:read', 'bookings:write'] });
  });

  test.each([
    ['scp', { scp: 'bookings:read bookings:write' }],
    ['scope as a list', { scope: '[bookings:read bookings:write]' }],
    ['scp as a list', { scp: '[bookings:read bookings:write]' }],
  ])('has the scopes of the claim %s', async (_, claims) => {
    const { send, requests } = setUp();

    await send(httpRequest(route, { path: { hotel: 'ritz' }, body: booking, claims: { sub: 'ada', ...claims } }));

    expect(requests[0]?.caller.scopes).toEqual(['bookings:read', 'bookings:write']);
  });

  test('has the addresses that the issuer has verified, and no others', async () => {
    const { send, requests } = setUp();
    const claims = { sub: 'ada', email: 'ada@example.com', phone_number: '+4915112345678' };
    const verified = { email_verified: 'true', phone_number_verified: 'true' };
    // As an emulator of API Gateway hands them on.
    const booleans = { email_verified: true as never, phone_number_verified: false as never };
    const unverified = { email_verified: 'false' };

    for (const more of [verified, booleans, unverified, {}]) {
      await send(httpRequest(route, { path: { hotel: 'ritz' }, body: booking, claims: { ...claims, ...more } }));
    }

    expect(requests.map(({ caller }) => caller)).toEqual([
      { subject: 'ada', scopes: [], email: 'ada@example.com', phone: '+4915112345678' },
      { subject: 'ada', scopes: [], email: 'ada@example.com' },
      { subject: 'ada', scopes: [] },
      { subject: 'ada', scopes: [] },
    ]);
  });

  test('may have a name of 255 characters', async () => {
    const { send, requests } = setUp();
    const sub = 'a'.repeat(255);

    await send(httpRequest(route, { path: { hotel: 'ritz' }, body: booking, claims: { sub } }));

    expect(requests[0]?.caller.subject).toBe(sub);
  });

  test('may have a token without scopes', async () => {
    const { send, requests } = setUp();

    await send(httpRequest(route, { path: { hotel: 'ritz' }, body: booking, claims: { sub: 'ada' } }));

    expect(requests[0]?.caller).toEqual({ subject: 'ada', scopes: [] });
  });

  test.each([
    ['a route without an authorizer', null],
    ['a token that names nobody', { scope: 'bookings:write' }],
    ['a token of the empty name', { sub: '' }],
    ['a token of a name that is too long', { sub: 'a'.repeat(256) }],
    ['a token of a name with a line break', { sub: 'ada\neve' }],
    ['a token of a name that is not ASCII', { sub: 'zoë' }],
  ])('%s is answered 401, whatever the request', async (_, claims) => {
    for (const body of [booking, '{']) {
      const answer = await refusal(httpRequest(route, { path: { hotel: 'ritz' }, body, claims }));

      expect(answer).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
        headers: { 'www-authenticate': 'Bearer' },
        problem: { title: 'Unauthorized' },
      });
    }
  });
});

describe('every answer', () => {
  const securityHeaders = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
    'x-content-type-options': 'nosniff',
  };
  const refused = async () => {
    throw new HttpError(409, 'FULL', 'No bed is free');
  };
  const failed = async () => {
    throw new Error('down');
  };

  test.each([
    ['a success', booking, undefined],
    ['an invalid request', {}, undefined],
    ['a refusal', booking, refused],
    ['a failure', booking, failed],
  ])('has the security headers and the id of its request: %s', async (_, body, handle) => {
    const event = request(body);

    const { headers } = await setUp(handle).send(event);

    expect(headers).toMatchObject({ ...securityHeaders, 'x-request-id': event.requestContext.requestId });
  });

  test('may be kept by its reader when the handler says so', async () => {
    const { send } = setUp(async () => ({ status: 200, headers: { 'cache-control': 'max-age=60' } }));

    expect((await send(request(booking))).headers).toMatchObject({ 'cache-control': 'max-age=60' });
  });

  /** The log of a request that is refused, and the answer to it. */
  async function loggedRefusal(event: HttpApiEvent) {
    const lines: string[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    logger.setLogLevel('INFO');
    const answer = await refusal(event);
    logger.setLogLevel('SILENT');
    write.mockRestore();
    return { ...answer, log: lines.map((line) => JSON.parse(line)) };
  }

  test('has the id in the problem document, and its log lines have it, too', async () => {
    const event = request({});

    const { problem, log } = await loggedRefusal(event);

    expect(problem.requestId).toBe(event.requestContext.requestId);
    expect(log).toMatchObject([{ message: 'Request refused', request_id: event.requestContext.requestId }]);
  });

  test.each([
    ['from-caller.1:2', 'from-caller.1:2'],
    ['', undefined],
    ['with space', undefined],
    ['line\nbreak', undefined],
    ['x'.repeat(129), undefined],
  ])('is logged with the correlation id of its caller beside its own: %j', async (header, logged) => {
    const { log, headers } = await loggedRefusal(request({}, { 'x-correlation-id': header }));

    expect(log).toMatchObject([{ correlation_id: headers?.['x-correlation-id'] }]);
    expect(log[0].client_correlation_id).toBe(logged);
  });
});

describe('an invalid request is refused with the fields that are wrong', () => {
  test.each([
    ['a missing field', { ...booking, guest: undefined }, ['/guest']],
    ['a wrong type', { ...booking, guest: 7 }, ['/guest']],
    ['null', { ...booking, nights: null }, ['/nights']],
    ['a negative number', { ...booking, nights: -1 }, ['/nights']],
    ['a fraction', { ...booking, nights: 1.5 }, ['/nights']],
    ['a number beyond all integers', { ...booking, nights: 1e300 }, ['/nights']],
    ['a number as text', { ...booking, nights: '2' }, ['/nights']],
    ['a field of a member', { ...booking, beds: [{ size: 'single' }, { size: 'king' }] }, ['/beds/1/size']],
    ['too many members', { ...booking, beds: Array(5).fill({ size: 'single' }) }, ['/beds']],
    ['an unknown field', { ...booking, discount: 100 }, ['/discount']],
    ['an unknown nested field', { ...booking, beds: [{ size: 'single', spare: 1 }] }, ['/beds/0/spare']],
    ['a field name with separators', { ...booking, 'a/b~c': 1 }, ['/a~1b~0c']],
    ['several mistakes', { guest: '', nights: 0, beds: [], x: 1, y: 2 }, ['/guest', '/nights', '/x', '/y']],
    ['an array', [booking], ['body']],
    ['text', '"text"', ['body']],
    ['the JSON null', 'null', ['body']],
  ])('%s', async (_, body, fields) => {
    expect(await refusal(request(body))).toMatchObject({ status: 400, code: 'INVALID_REQUEST', fields });
  });

  test('a field called __proto__ is unknown, too', async () => {
    const body = JSON.stringify(booking).replace('{', '{"__proto__":{"admin":true},');

    expect(await refusal(request(body))).toMatchObject({ status: 400, fields: ['/__proto__'] });
  });

  test.each([
    ['malformed JSON', '{"guest":', 'not valid JSON'],
    ['text', 'hello', 'not valid JSON'],
    ['half of a surrogate pair', '{"guest":"\\ud800"}', 'not valid Unicode'],
    ['an empty body', '', 'required'],
    ['no body', undefined, 'required'],
  ])('%s', async (_, body, detail) => {
    const answer = await refusal(request(body));

    expect(answer).toMatchObject({ status: 400, code: 'MALFORMED_BODY', fields: ['body'] });
    expect(answer.problem.detail).toContain(detail);
  });

  test('a path parameter', async () => {
    const event = httpRequest(route, { path: { hotel: 'R1tz' }, body: booking });

    expect(await refusal(event)).toMatchObject({ status: 400, code: 'INVALID_REQUEST', fields: ['hotel'] });
  });

  test('a missing path parameter', async () => {
    const { pathParameters: _, ...event } = request(booking);

    expect(await refusal(event)).toMatchObject({ status: 400, fields: ['hotel'] });
  });

  test('values are not repeated', async () => {
    const { problem } = await refusal(request({ ...booking, nights: 'secret-value' }));

    expect(JSON.stringify(problem)).not.toContain('secret-value');
  });

  test('with more mistakes than can be listed, in an answer that stays small', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 0]));

    const { problem, fields } = await refusal(request({ ...booking, ...unknown }));

    expect(fields).toHaveLength(50);
    expect(problem.detail).toMatch(/^10000 invalid field\(s\): \/x0, .*, …$/);
    expect(JSON.stringify(problem).length).toBeLessThan(10_000);
  });
});

describe('the size of a body', () => {
  const bodyOf = (bytes: number, filler: string) => {
    const room = bytes - Buffer.byteLength(JSON.stringify({ ...booking, note: '' }));
    const note = filler.repeat(Math.floor(room / Buffer.byteLength(filler)));
    return JSON.stringify({ ...booking, note: note + 'x'.repeat(room - Buffer.byteLength(note)) });
  };

  test.each(['x', '😀'])('is limited to the byte (%s)', async (filler) => {
    const { send } = setUp();

    expect(await send(request(bodyOf(MAX_BODY_BYTES, filler)))).toMatchObject({ statusCode: 202 });
    expect(await refusal(request(bodyOf(MAX_BODY_BYTES + 1, filler)))).toMatchObject({
      status: 413,
      code: 'BODY_TOO_LARGE',
      fields: ['body'],
    });
  });

  test('is that of the decoded body', async () => {
    const { send } = setUp();
    const encoded = (bytes: number) => ({
      ...request(Buffer.from(bodyOf(bytes, 'x')).toString('base64')),
      isBase64Encoded: true,
    });

    expect(await send(encoded(MAX_BODY_BYTES))).toMatchObject({ statusCode: 202 });
    expect(await refusal(encoded(MAX_BODY_BYTES + 1))).toMatchObject({ status: 413 });
  });
});

test('a handler retries what is busy until there is just time left to answer', async () => {
  let left: number | undefined;
  const handler = endpoint({}, async () => {
    left = timeLeft();
    return { status: 204 };
  });

  await handler(httpRequest('GET /hotels'), lambdaContext(8_000));

  expect(left).toBe(7_500);
});

describe('a handler that throws', () => {
  const answerTo = (error: unknown) =>
    setUp(async () => {
      throw error;
    }).send(request(booking));

  test('an HttpError answers with it', async () => {
    const answer = await answerTo(new HttpError(409, 'ALREADY_SHIPPED', 'The order has been shipped'));

    expect(answer).toMatchObject({ statusCode: 409, headers: { 'x-correlation-id': expect.any(String) } });
    expect(jsonOf(answer)).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'The order has been shipped',
      code: 'ALREADY_SHIPPED',
      requestId: expect.any(String),
    });
  });

  test('a transient error asks to try again', async () => {
    const answer = await answerTo(new TransientError('STORE_BUSY', 'table orders-dev is throttled'));

    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    expect(jsonOf(answer)).toMatchObject({ title: 'Service Unavailable', code: 'STORE_BUSY' });
    expect(answer.body).not.toContain('orders-dev');
  });

  const $metadata = {};
  const aws = (name: string, httpStatusCode: number) =>
    new DynamoDBServiceException({
      ...{ name, message: 'orders-dev', $fault: 'client', $metadata: { httpStatusCode } },
    });
  const network = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' });
  test.each([
    ['a throttled table', new ProvisionedThroughputExceededException({ message: 'orders-dev', $metadata })],
    ['a throttled account', aws('ThrottlingException', 400)],
    ['too many requests', aws('RequestLimitExceeded', 400)],
    ['a failure of DynamoDB', new InternalServerError({ message: 'orders-dev', $metadata: { httpStatusCode: 500 } })],
    ['an outage of DynamoDB', aws('ServiceUnavailable', 503)],
    ['a write that met a transaction', aws('TransactionConflictException', 400)],
    ['a timeout', Object.assign(new Error('no answer'), { name: 'TimeoutError' })],
    ['a broken connection', network],
    ['a throttle behind the error of a library', new Error('orders-dev', { cause: aws('ThrottlingException', 400) })],
  ])('%s asks to try again, too, and leaks nothing', async (_, error) => {
    const answer = await answerTo(error);

    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    expect(jsonOf(answer)).toMatchObject({ status: 503, code: 'TEMPORARILY_UNAVAILABLE' });
    expect(answer.body).not.toMatch(/orders-dev|10\.0/);
  });

  test('an HttpError may say when to come back', async () => {
    const answer = await answerTo(new HttpError(429, 'TOO_MANY', 'Too many', [], { retryAfterSeconds: 90 }));

    expect(answer).toMatchObject({ statusCode: 429, headers: { 'retry-after': '90' } });
    expect(jsonOf(answer).title).toBe('Too Many Requests');
  });

  test('an HttpError may have members of its own, which take the place of no other', async () => {
    const members = { alternatives: ['room-2'], status: 200 };
    const answer = await answerTo(new HttpError(409, 'TAKEN', 'The room is taken', [], { members }));

    expect(jsonOf(answer)).toMatchObject({ status: 409, code: 'TAKEN', alternatives: ['room-2'] });
  });

  test.each([
    ['an unexpected error', new TypeError('Cannot read password of undefined')],
    ['a permanent error', new PermanentError('SECRET', 'password')],
    ['a missing permission', aws('AccessDeniedException', 400)],
    ['an invalid call', aws('ValidationException', 400)],
    ['something that is no error', 'password'],
    ['nothing', undefined],
  ])('%s answers 500 and leaks nothing', async (_, error) => {
    const answer = await answerTo(error);

    expect(answer).toMatchObject({ statusCode: 500, headers: { 'content-type': 'application/problem+json' } });
    expect(jsonOf(answer)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'The request could not be handled',
      code: 'INTERNAL_ERROR',
      requestId: expect.any(String),
    });
  });
});

describe('the Idempotency-Key header', () => {
  const setUpOnce = () => {
    const keys: string[] = [];
    const answerOnce: AnswerOnce = async (key, _body, _context, answer) => {
      keys.push(key);
      return answer();
    };
    const requests: (string | undefined)[] = [];
    const handler = endpoint(
      { path: pathSchema, body: bookingSchema, idempotent: true },
      async ({ idempotencyKey }) => {
        requests.push(idempotencyKey);
        return { status: 202 };
      },
      { answerOnce },
    );
    return { keys, requests, send: (event: HttpApiEvent) => handler(event, lambdaContext()) };
  };

  test('is one for each caller and resource, and reaches the handler', async () => {
    const { send, keys, requests } = setUpOnce();

    await send(request(booking, { 'idempotency-key': 'k-1' }));

    expect(keys).toEqual(['["customer-1","POST","/hotels/ritz/bookings","k-1"]']);
    expect(requests).toEqual(['k-1']);
  });

  test('may stand in the quotes of a structured field', async () => {
    const { send, requests } = setUpOnce();

    await send(request(booking, { 'idempotency-key': '"k-1"' }));

    expect(requests).toEqual(['k-1']);
  });

  test('may be absent', async () => {
    const { send, keys, requests } = setUpOnce();

    expect(await send(request(booking))).toMatchObject({ statusCode: 202 });
    expect(keys).toEqual([]);
    expect(requests).toEqual([undefined]);
  });

  test.each(['', '""', 'with space', 'Schlüssel', 'x'.repeat(256)])('is refused when it is %j', async (key) => {
    const { send, requests } = setUpOnce();

    const answer = await send(request(booking, { 'idempotency-key': key }));

    expect(answer.statusCode).toBe(400);
    expect(jsonOf(answer)).toMatchObject({ code: 'INVALID_IDEMPOTENCY_KEY', errors: [{ field: 'Idempotency-Key' }] });
    expect(requests).toEqual([]);
  });

  test('is not looked up for a request that is invalid anyway', async () => {
    const { send, keys } = setUpOnce();

    expect(await send(request({}, { 'idempotency-key': 'k-1' }))).toMatchObject({ statusCode: 400 });
    expect(keys).toEqual([]);
  });

  test('is ignored by an endpoint that is not idempotent', async () => {
    const { send, requests } = setUp();

    expect(await send(request(booking, { 'idempotency-key': 'with space' }))).toMatchObject({ statusCode: 202 });
    expect(requests[0]).not.toHaveProperty('idempotencyKey');
  });

  test('needs a table', () => {
    expect(() => endpoint({ idempotent: true }, async () => ({ status: 202 }))).toThrow(/^MILLRACE_IDEMPOTENCY_TABLE /);
  });
});

describe('query parameters', () => {
  const handler = endpoint(
    { query: z.strictObject({ limit: z.coerce.number('expected a number').int().default(20) }) },
    async ({ query }) => ({ status: 200, body: query }),
  );
  const answerTo = async (query?: Record<string, string>) =>
    handler(httpRequest('GET /hotels', query ? { query } : {}), lambdaContext());

  test.each([
    [undefined, { limit: 20 }],
    [{ limit: '5' }, { limit: 5 }],
  ])('%j are handed on validated', async (query, expected) => {
    const answer = await answerTo(query);

    expect([answer.statusCode, jsonOf(answer)]).toEqual([200, expected]);
  });

  test.each([
    [{ limit: 'many' }, 'limit'],
    [{ limits: '5' }, 'limits'],
  ])('%j are refused by name', async (query, field) => {
    expect(jsonOf(await answerTo(query))).toMatchObject({ status: 400, code: 'INVALID_REQUEST', errors: [{ field }] });
  });

  test('are refused by name where the endpoint takes none', async () => {
    const event = httpRequest(route, { path: { hotel: 'ritz' }, body: booking, query: { dryRun: 'true', page: '2' } });
    expect(await refusal(event)).toMatchObject({ status: 400, code: 'INVALID_REQUEST', fields: ['dryRun', 'page'] });
  });
});
