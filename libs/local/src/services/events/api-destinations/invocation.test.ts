import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type EventsCloud, eventsCloud } from '../../../../fixtures/events-cloud.ts';
import { type HttpEndpoint, httpEndpoint } from '../../../../fixtures/http-endpoint.ts';
import { ManualClock, type Timer } from '../../../core/clock.ts';

const account = '000000000000';
const roleArn = `arn:aws:iam::${account}:role/invoker`;
const deadLetterQueue = `arn:aws:sqs:us-east-1:${account}:dead`;
const basic = { BasicAuthParameters: { Username: 'ann', Password: 'secret' } };

/** Remembers what times it was asked for. */
class RecordingClock extends ManualClock {
  readonly asked: number[] = [];

  override setTimer(at: number, callback: () => void): Timer {
    this.asked.push(at);
    return super.setTimer(at, callback);
  }
}

let clock: RecordingClock;
let cloud: EventsCloud;
let endpoint: HttpEndpoint;

beforeEach(async () => {
  clock = new RecordingClock(Date.parse('2026-03-01T10:00:00Z'));
  endpoint = await httpEndpoint();
  cloud = await eventsCloud(
    {
      Invoker: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'invoker',
          AssumeRolePolicyDocument: {
            Statement: { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' },
          },
          Policies: [
            {
              PolicyDocument: {
                Statement: {
                  Effect: 'Allow',
                  Action: 'events:InvokeApiDestination',
                  Resource: `arn:aws:events:us-east-1:${account}:api-destination/hook/*`,
                },
              },
            },
          ],
        },
      },
    },
    { clock },
  );
});

afterEach(async () => {
  await cloud[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
});

interface Setup {
  name?: string;
  connection?: object;
  destination?: object;
  target?: object;
}

/** A rule for every event of the default bus, whose target is an API destination with the endpoint. */
async function setUp({ name = 'hook', connection, destination, target }: Setup = {}): Promise<string> {
  const { ConnectionArn } = await cloud.call('CreateConnection', {
    ...{ Name: name, AuthorizationType: 'BASIC', AuthParameters: basic },
    ...connection,
  });
  const { ApiDestinationArn } = await cloud.call('CreateApiDestination', {
    ...{ Name: name, ConnectionArn, InvocationEndpoint: `${endpoint.url}/hook`, HttpMethod: 'POST', ...destination },
  });
  await cloud.call('PutRule', { Name: 'all', EventPattern: '{"version":["0"]}' });
  const common = { Id: 'hook', Arn: ApiDestinationArn, RoleArn: roleArn, DeadLetterConfig: { Arn: deadLetterQueue } };
  await cloud.call('PutTargets', { Rule: 'all', Targets: [{ ...common, ...target }] });
  return String(ApiDestinationArn);
}

const put = (Detail = '{"orderId":"o 1","total": 1.50}') =>
  cloud.call('PutEvents', { Entries: [{ Source: 'shop', DetailType: 'Placed', Detail }] });

async function requests(count: number) {
  await eventually(() => expect(endpoint.requests).toHaveLength(count));
  return endpoint.requests;
}

async function dead(): Promise<Record<string, string | undefined>> {
  await eventually(() => expect(cloud.attributes('dead')).toHaveLength(1));
  return cloud.attributes('dead')[0] ?? {};
}

/** Waits until the failure of a first attempt is known, and moves the clock on to its retry. */
async function retry(): Promise<void> {
  const now = clock.now();
  await eventually(() => expect(clock.asked.some((at) => at > now && at <= now + 1000)).toBe(true));
  await clock.advance(1000);
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
describe('a request to an API destination', () => {
  test('has the event, and the headers of EventBridge', async () => {
    await setUp();
    await put();
    const [request] = await requests(1);
    expect(request).toMatchObject({
      method: 'POST',
      url: '/hook',
      body: expect.stringMatching(/^\{"version":"0",.*"detail":\{"orderId":"o 1","total": 1\.50\}\}$/),
      headers: {
        authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}`,
        'user-agent': 'Amazon/EventBridge/ApiDestinations',
        'content-type': 'application/json; charset=utf-8',
        range: 'bytes=0-1048575',
        'accept-encoding': 'gzip,deflate',
        connection: 'close',
        'content-length': String(request?.body.length),
      },
    });
  });

  test('has the parameters of the target and of the connection, whose own take precedence', async () => {
    await setUp({
      connection: {
        AuthorizationType: 'API_KEY',
        AuthParameters: {
          ApiKeyAuthParameters: { ApiKeyName: 'x-api-key', ApiKeyValue: 'k' },
          InvocationHttpParameters: {
            HeaderParameters: [{ Key: 'X-Shop', Value: 'connection' }],
            QueryStringParameters: [{ Key: 'shop', Value: 'connection' }],
            BodyParameters: [{ Key: 'shop', Value: 'connection', IsValueSecret: true }],
          },
        },
      },
      destination: { InvocationEndpoint: `${endpoint.url}/orders/*/lines/*?fixed=1`, HttpMethod: 'PUT' },
      target: {
        InputPath: '$.detail',
        HttpParameters: {
          PathParameterValues: ['$.detail.orderId', 'all'],
          HeaderParameters: {
            'x-shop': 'target',
            'X-Type': '$.detail-type',
            'User-Agent': 'mine',
            host: 'evil.example',
          },
          QueryStringParameters: { shop: 'target', source: '$.source' },
        },
      },
    });
    await put('{"orderId":"o 1","shop":"event","total": 1.50}');
    const [request] = await requests(1);
    expect(request).toMatchObject({
      method: 'PUT',
      url: '/orders/o%201/lines/all?fixed=1&shop=connection&source=shop',
      body: '{"orderId":"o 1","total":1.50,"shop":"connection"}',
      headers: { 'x-api-key': 'k', 'x-shop': 'connection', 'x-type': 'Placed', host: new URL(endpoint.url).host },
    });
    expect(request?.headers).toMatchObject({ 'user-agent': 'Amazon/EventBridge/ApiDestinations' });
  });

  test('needs the permission of the role', async () => {
    await setUp({ name: 'other' });
    await put();
    expect(await dead()).toMatchObject({
      ERROR_CODE: 'NO_PERMISSIONS',
      ERROR_MESSAGE: expect.stringContaining('events:InvokeApiDestination'),
    });
    expect(endpoint.requests).toEqual([]);
  });

  test('is not sent to another machine', async () => {
    await setUp({ destination: { InvocationEndpoint: 'https://api.example.com/hook' } });
    await put();
    expect(await dead()).toMatchObject({
      ERROR_CODE: 'SDK_CLIENT_ERROR',
      ERROR_MESSAGE: expect.stringContaining('api.example.com is not this machine'),
      RETRY_ATTEMPTS: '0',
    });
  });

  test('is not made for a destination or a connection that is not there any more', async () => {
    await setUp();
    await cloud.call('DeleteConnection', { Name: 'hook' });
    await put();
    expect(await dead()).toMatchObject({ ERROR_MESSAGE: expect.stringContaining('The connection does not exist') });
    await cloud.call('DeleteApiDestination', { Name: 'hook' });
    await put();
    await eventually(() => expect(cloud.attributes('dead')[1]).toMatchObject({ ERROR_CODE: 'NO_RESOURCE' }));
  });

  test('does not keep PutEvents waiting', async () => {
    endpoint.answer = () => {};
    await setUp();
    await put();
    await requests(1);
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
describe('an endpoint that fails', () => {
  test.each([401, 407, 409, 429, 500, 503])('with %s is asked again', async (status) => {
    endpoint.answer = (_request, response) => {
      response.statusCode = endpoint.requests.length === 1 ? status : 204;
      response.end();
    };
    await setUp();
    await put();
    await requests(1);
    await retry();
    await requests(2);
    expect(endpoint.requests[1]?.body).toBe(endpoint.requests[0]?.body);
    expect(cloud.attributes('dead')).toEqual([]);
  });

  test.each([301, 400, 403, 404, 422])('with %s is not asked again: there is a dead letter', async (status) => {
    endpoint.answer = (_request, response) => response.writeHead(status, { location: `${endpoint.url}/else` }).end();
    await setUp();
    await put();
    expect(await dead()).toMatchObject({
      ERROR_CODE: 'SDK_CLIENT_ERROR',
      ERROR_MESSAGE: expect.stringContaining(`HTTP status code ${status}`),
      RETRY_ATTEMPTS: '0',
    });
    expect(endpoint.requests).toHaveLength(1);
  });

  test('is left alone for as long as its Retry-After says', async () => {
    endpoint.answer = (_request, response) => {
      response.writeHead(endpoint.requests.length === 1 ? 429 : 200, { 'retry-after': '120' }).end();
    };
    await setUp();
    await put();
    await eventually(() => expect(clock.asked).toContain(clock.now() + 120_000));
    await clock.advance(119_999);
    expect(endpoint.requests).toHaveLength(1);
    await clock.advance(1);
    await requests(2);
  });

  test('is not asked again after a negative Retry-After', async () => {
    endpoint.answer = (_request, response) => response.writeHead(503, { 'retry-after': '-1' }).end();
    await setUp();
    await put();
    expect(await dead()).toMatchObject({ RETRY_ATTEMPTS: '0' });
  });

  test('has five seconds to answer', async () => {
    endpoint.answer = () => {};
    await setUp({ target: { RetryPolicy: { MaximumRetryAttempts: 0 } } });
    await put();
    await requests(1);
    await clock.advance(4999);
    expect(cloud.attributes('dead')).toEqual([]);
    await clock.advance(1);
    expect(await dead()).toMatchObject({ ERROR_CODE: 'TIMEOUT', EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts' });
  });

  test('that cannot be reached is asked again', async () => {
    await setUp({ target: { RetryPolicy: { MaximumRetryAttempts: 1 } } });
    await endpoint[Symbol.asyncDispose]();
    await put();
    await retry();
    expect(await dead()).toMatchObject({
      ERROR_CODE: 'SDK_CLIENT_ERROR',
      ERROR_MESSAGE: expect.stringContaining('API destination endpoint cannot be reached'),
      RETRY_ATTEMPTS: '1',
    });
    endpoint = await httpEndpoint();
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
describe('the rate limit of an API destination', () => {
  test('lets so many requests begin in a second; the others wait', async () => {
    await setUp({ destination: { InvocationRateLimitPerSecond: 2 } });
    for (let index = 0; index < 5; index += 1) await put(`{"index":${index}}`);
    const indexes = () => endpoint.requests.map(({ body }) => JSON.parse(body).detail.index).sort();
    await eventually(() => expect(indexes()).toEqual([0, 1]));
    await clock.advance(999);
    expect(indexes()).toEqual([0, 1]);
    await clock.advance(1);
    await eventually(() => expect(indexes()).toEqual([0, 1, 2, 3]));
    await clock.advance(1000);
    await eventually(() => expect(indexes()).toEqual([0, 1, 2, 3, 4]));
  });

  test('has an event die that would wait for longer than it may grow old', async () => {
    await setUp({
      destination: { InvocationRateLimitPerSecond: 1 },
      target: { RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
    });
    for (let index = 0; index < 63; index += 1) await put();
    await eventually(() => expect(endpoint.requests).toHaveLength(1));
    await clock.advance(60_000);
    await eventually(() => expect(endpoint.requests).toHaveLength(61));
    await eventually(() => expect(cloud.attributes('dead')).toHaveLength(2));
    expect(cloud.attributes('dead')[0]).toMatchObject({
      ERROR_CODE: 'THROTTLING',
      EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds',
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
describe('an OAuth connection', () => {
  const oauth = (OAuth: object = {}) => ({
    AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
    AuthParameters: {
      OAuthParameters: {
        AuthorizationEndpoint: `${endpoint.url}/token`,
        HttpMethod: 'POST',
        ClientParameters: { ClientID: 'shop', ClientSecret: 'hush' },
        ...OAuth,
      },
    },
  });
  const tokenRequests = () => endpoint.requests.filter(({ url }) => url.startsWith('/token'));
  const hooks = () => endpoint.requests.filter(({ url }) => url === '/hook');
  const state = async () => (await cloud.call('DescribeConnection', { Name: 'hook' })).ConnectionState;
  let refuse: (token: string | undefined) => boolean;

  beforeEach(() => {
    refuse = () => false;
    endpoint.answer = ({ url, headers }, response) => {
      if (url.startsWith('/token')) {
        response.end(JSON.stringify({ access_token: `token-${tokenRequests().length}`, expires_in: 3600 }));
      } else {
        response.statusCode = refuse(headers.authorization) ? 401 : 200;
        response.end();
      }
    };
  });

  test('gets a token with its client credentials, and uses it until shortly before its end', async () => {
    await setUp({
      connection: oauth({ OAuthHttpParameters: { BodyParameters: [{ Key: 'scope', Value: 'orders' }] } }),
    });
    await eventually(async () => expect(await state()).toBe('AUTHORIZED'));
    const [{ body, headers } = { body: '', headers: {} }] = tokenRequests();
    expect(headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      ...{ grant_type: 'client_credentials', client_id: 'shop', client_secret: 'hush', scope: 'orders' },
    });
    await put();
    await put();
    await eventually(() => expect(hooks()).toHaveLength(2));
    await clock.advance(3_541_000);
    await put();
    await eventually(() => expect(hooks()).toHaveLength(3));
    const used = hooks().map(({ headers: { authorization } }) => authorization);
    expect(used).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  test('gets another token when the endpoint does not take the one it has', async () => {
    refuse = (token) => token === 'Bearer token-1';
    await setUp({ connection: oauth() });
    await eventually(async () => expect(await state()).toBe('AUTHORIZED'));
    await put();
    await retry();
    await eventually(() => expect(hooks()).toHaveLength(2));
    expect(hooks()[1]?.headers.authorization).toBe('Bearer token-2');
  });

  test('is deauthorized when it gets no token, and says why without a secret', async () => {
    endpoint.answer = (_request, response) => response.writeHead(403).end('{"client_secret":"hush"}');
    const arn = await setUp({ connection: oauth({ HttpMethod: 'GET' }) });
    await eventually(async () => expect(await state()).toBe('DEAUTHORIZED'));
    expect(tokenRequests()[0]?.url).toContain('client_secret=hush');
    const described = await cloud.call('DescribeConnection', { Name: 'hook' });
    expect(described.StateReason).toBe('The authorization failed: the authorization endpoint answered 403.');
    expect(JSON.stringify(described)).not.toContain('hush');
    expect(await cloud.call('DescribeApiDestination', { Name: 'hook' })).toMatchObject({
      ApiDestinationArn: arn,
      ApiDestinationState: 'INACTIVE',
    });
    await put();
    expect(await dead()).toMatchObject({ ERROR_MESSAGE: expect.stringContaining('is in the state DEAUTHORIZED') });
  });
});
