import { beforeEach, describe, expect, test } from '@jest/globals';
import { type EventsCloud, eventsCloud } from '../../../../fixtures/events-cloud.ts';

const arn = (resource: string) => `arn:aws:events:us-east-1:000000000000:${resource}`;
const uuid = '[0-9a-f]{8}-[0-9a-f-]{27}';
const basic = { BasicAuthParameters: { Username: 'ann', Password: 'hush-1' } };
const invocation = {
  HeaderParameters: [
    { Key: 'X-Open', Value: 'open' },
    { Key: 'X-Secret', Value: 'hush-2', IsValueSecret: true },
  ],
};

let cloud: EventsCloud;
beforeEach(async () => {
  cloud = await eventsCloud();
});

const create = (input: object = {}) =>
  cloud.call('CreateConnection', { Name: 'partner', AuthorizationType: 'BASIC', AuthParameters: basic, ...input });
const describeConnection = () => cloud.call('DescribeConnection', { Name: 'partner' });
const refusal = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
describe('a connection', () => {
  test('is authorized at once with a password, and shows no secret', async () => {
    const times = { CreationTime: expect.any(Number), LastModifiedTime: expect.any(Number) };
    const created = await create({ AuthParameters: { ...basic, InvocationHttpParameters: invocation } });
    expect(created).toEqual({
      ConnectionArn: expect.stringMatching(`^${arn('connection/partner')}/${uuid}$`),
      ConnectionState: 'AUTHORIZED',
      ...times,
    });
    const described = await describeConnection();
    expect(described).toEqual({
      ...created,
      Name: 'partner',
      AuthorizationType: 'BASIC',
      SecretArn: expect.stringMatching(
        `^arn:aws:secretsmanager:us-east-1:000000000000:secret:events!connection/partner/${uuid}-.{6}$`,
      ),
      LastAuthorizedTime: expect.any(Number),
      AuthParameters: {
        BasicAuthParameters: { Username: 'ann' },
        InvocationHttpParameters: {
          HeaderParameters: [
            { Key: 'X-Open', Value: 'open', IsValueSecret: false },
            { Key: 'X-Secret', IsValueSecret: true },
          ],
        },
      },
    });
    expect(JSON.stringify([described, await cloud.call('ListConnections', {})])).not.toContain('hush');
  });

  test.each<[string, object, object, string]>([
    [
      'API_KEY',
      { ApiKeyAuthParameters: { ApiKeyName: 'x-api-key', ApiKeyValue: 'hush' } },
      { ApiKeyAuthParameters: { ApiKeyName: 'x-api-key' } },
      'AUTHORIZED',
    ],
    [
      'OAUTH_CLIENT_CREDENTIALS',
      {
        OAuthParameters: {
          ...{ AuthorizationEndpoint: 'https://example.com/oauth', HttpMethod: 'POST' },
          ClientParameters: { ClientID: 'shop', ClientSecret: 'hush' },
        },
      },
      {
        OAuthParameters: {
          ...{ AuthorizationEndpoint: 'https://example.com/oauth', HttpMethod: 'POST' },
          ClientParameters: { ClientID: 'shop' },
        },
      },
      'AUTHORIZING',
    ],
  ])(
    'of the type %s shows its settings without the secrets',
    async (AuthorizationType, AuthParameters, shown, state) => {
      expect(await create({ AuthorizationType, AuthParameters })).toMatchObject({ ConnectionState: state });
      expect((await describeConnection()).AuthParameters).toEqual(shown);
    },
  );

  test('is updated in part, and as a whole with another type', async () => {
    const { ConnectionArn } = await create({ Description: 'first' });
    const update = { BasicAuthParameters: { Username: 'bob' } };
    expect(await cloud.call('UpdateConnection', { Name: 'partner', AuthParameters: update })).toMatchObject({
      ConnectionArn,
      ConnectionState: 'AUTHORIZED',
    });
    expect(await describeConnection()).toMatchObject({ Description: 'first', AuthParameters: update });
    const key = { ApiKeyAuthParameters: { ApiKeyName: 'k', ApiKeyValue: 'v' } };
    await cloud.call('UpdateConnection', { Name: 'partner', AuthorizationType: 'API_KEY', AuthParameters: key });
    expect((await describeConnection()).AuthParameters).toEqual({ ApiKeyAuthParameters: { ApiKeyName: 'k' } });
  });

  test('is deauthorized: its parameters and its secret are gone until it gets others', async () => {
    await create();
    expect(await cloud.call('DeauthorizeConnection', { Name: 'partner' })).toMatchObject({
      ConnectionState: 'DEAUTHORIZING',
    });
    const described = await describeConnection();
    expect(described).toMatchObject({ ConnectionState: 'DEAUTHORIZED' });
    expect(described).not.toHaveProperty('AuthParameters');
    expect(described).not.toHaveProperty('SecretArn');
    await cloud.call('UpdateConnection', { Name: 'partner', AuthParameters: basic });
    expect(await describeConnection()).toMatchObject({ ConnectionState: 'AUTHORIZED' });
  });

  test('is listed by name and state, and deleted', async () => {
    await create();
    await create({ Name: 'other' });
    await cloud.call('DeauthorizeConnection', { Name: 'other' });
    const names = async (input: object) =>
      ((await cloud.call('ListConnections', input)).Connections as { Name: string }[]).map(({ Name }) => Name);
    expect(await names({})).toEqual(['other', 'partner']);
    expect(await names({ NamePrefix: 'pa' })).toEqual(['partner']);
    expect(await names({ ConnectionState: 'DEAUTHORIZED' })).toEqual(['other']);
    expect(await cloud.call('DeleteConnection', { Name: 'partner' })).toMatchObject({ ConnectionState: 'DELETING' });
    await expect(describeConnection()).rejects.toMatchObject(
      refusal(
        'ResourceNotFoundException',
        /^Failed to describe the connection\(s\)\. Connection 'partner' does not exist\.$/,
      ),
    );
  });

  test.each<[string, object, RegExp]>([
    [
      'an unknown type',
      { AuthorizationType: 'INVALID' },
      /^1 validation error detected: Value 'INVALID' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: \[BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY\]$/,
    ],
    ['a name with spaces', { Name: 'a b' }, /at 'name' failed to satisfy constraint: .*regular expression pattern/],
    ['parameters of another type', { AuthorizationType: 'API_KEY' }, /BasicAuthParameters does not belong to/],
    ['no parameters', { AuthParameters: {} }, /BasicAuthParameters is required/],
    ['a private endpoint', { InvocationConnectivityParameters: {} }, /not available on this machine/],
  ])('is refused with %s', async (_what, input, message) => {
    await expect(create(input)).rejects.toMatchObject(refusal('ValidationException', message));
  });

  test('is refused without its secret in the message', async () => {
    const AuthParameters = { BasicAuthParameters: { Username: 'ann', Password: `hush\n${'x'.repeat(600)}` } };
    const error = await create({ AuthParameters }).catch((reason: Error) => reason);
    expect(error).toMatchObject(refusal('ValidationException', /^Password must be/));
    expect(String(error)).not.toContain('hush');
  });

  test('has a name of its own', async () => {
    await create();
    await expect(create()).rejects.toMatchObject(refusal('ResourceAlreadyExistsException', /partner/));
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html
describe('an API destination', () => {
  let connectionArn: unknown;
  beforeEach(async () => {
    connectionArn = (await create()).ConnectionArn;
  });
  const createDestination = (input: object = {}) =>
    cloud.call('CreateApiDestination', {
      ...{
        Name: 'hook',
        ConnectionArn: connectionArn,
        HttpMethod: 'POST',
        InvocationEndpoint: 'https://example.com/a',
      },
      ...input,
    });

  test('is created, described, updated, listed and deleted', async () => {
    const created = await createDestination({ Description: 'first' });
    expect(created).toEqual({
      ApiDestinationArn: expect.stringMatching(`^${arn('api-destination/hook')}/${uuid}$`),
      ApiDestinationState: 'ACTIVE',
      CreationTime: expect.any(Number),
      LastModifiedTime: expect.any(Number),
    });
    const listed = {
      ...created,
      ...{ Name: 'hook', ConnectionArn: connectionArn, HttpMethod: 'POST', InvocationRateLimitPerSecond: 300 },
      InvocationEndpoint: 'https://example.com/a',
    };
    expect(await cloud.call('DescribeApiDestination', { Name: 'hook' })).toEqual({ ...listed, Description: 'first' });
    await cloud.call('UpdateApiDestination', { Name: 'hook', HttpMethod: 'PUT', InvocationRateLimitPerSecond: 5 });
    const changed = {
      ...listed,
      HttpMethod: 'PUT',
      InvocationRateLimitPerSecond: 5,
      LastModifiedTime: expect.any(Number),
    };
    expect(await cloud.call('ListApiDestinations', { ConnectionArn: connectionArn })).toEqual({
      ApiDestinations: [changed],
    });
    await cloud.call('DeleteApiDestination', { Name: 'hook' });
    await expect(cloud.call('DescribeApiDestination', { Name: 'hook' })).rejects.toMatchObject(
      refusal('ResourceNotFoundException', /An api-destination 'hook' does not exist\.$/),
    );
  });

  test('is inactive with a connection that is not authorized', async () => {
    await createDestination();
    await cloud.call('DeauthorizeConnection', { Name: 'partner' });
    expect(await cloud.call('DescribeApiDestination', { Name: 'hook' })).toMatchObject({
      ApiDestinationState: 'INACTIVE',
    });
  });

  test.each<[string, object, RegExp]>([
    ['an ARN that is not valid', { ConnectionArn: 'partner' }, /at 'connectionArn' failed to satisfy constraint/],
    ['an unknown method', { HttpMethod: 'TRACE' }, /\[HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS\]$/],
    ['an endpoint without TLS', { InvocationEndpoint: 'http://example.com/' }, /must be an https URL/],
    ['a rate of nothing', { InvocationRateLimitPerSecond: 0 }, /greater than or equal to 1/],
    ['no method', { HttpMethod: undefined }, /'httpMethod'.*must not be null/],
  ])('is refused with %s', async (_what, input, message) => {
    await expect(createDestination(input)).rejects.toMatchObject(refusal('ValidationException', message));
  });

  test('is refused with a connection that is not there', async () => {
    const ConnectionArn = arn('connection/gone/00000000-0000-0000-0000-000000000000');
    await expect(createDestination({ ConnectionArn })).rejects.toMatchObject(
      refusal('ResourceNotFoundException', /Connection 'gone' does not exist/),
    );
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-apidestination.html
test('a template has connections and API destinations', async () => {
  cloud = await eventsCloud({
    Partner: {
      Type: 'AWS::Events::Connection',
      Properties: { AuthorizationType: 'BASIC', AuthParameters: basic },
    },
    Hook: {
      Type: 'AWS::Events::ApiDestination',
      Properties: {
        ...{ Name: 'hook', HttpMethod: 'POST', InvocationEndpoint: 'https://example.com/' },
        ...{ ConnectionArn: { 'Fn::GetAtt': ['Partner', 'Arn'] }, InvocationRateLimitPerSecond: '10' },
      },
    },
    All: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ...{ Name: 'all', EventPattern: { source: ['shop'] } },
        Targets: [{ Id: 'h', Arn: { 'Fn::GetAtt': ['Hook', 'Arn'] }, RoleArn: 'arn:aws:iam::000000000000:role/r' }],
      },
    },
  });
  const described = await cloud.call('DescribeApiDestination', { Name: 'hook' });
  expect(described).toMatchObject({ ApiDestinationState: 'ACTIVE', InvocationRateLimitPerSecond: 10 });
  expect(await cloud.call('ListTargetsByRule', { Rule: 'all' })).toMatchObject({
    Targets: [{ Arn: described.ApiDestinationArn }],
  });
});
