import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, DynamoDBStreamsClient, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams';
import { CreateEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import {
  CreateTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { GetParameterCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../fixtures/cloud-under-test.ts';
import type { ServiceCall } from '../core/authorizer.ts';
import { AwsError } from '../core/aws-error.ts';
import { Cloud } from '../core/cloud.ts';
import { type CapturedMessage, Messages } from '../core/messages.ts';
import { findFreePort, listenOnLoopback } from '../core/port.ts';
import type { Api, AwsService } from '../core/service.ts';
import { dynamodb } from '../services/dynamodb/index.ts';
import { events } from '../services/events/index.ts';
import { lambda } from '../services/lambda/index.ts';
import { s3 } from '../services/s3/index.ts';
import { ses } from '../services/ses/index.ts';
import { sns } from '../services/sns/index.ts';
import { sqs } from '../services/sqs/index.ts';
import { ssm } from '../services/ssm/index.ts';
import { sts } from '../services/sts/index.ts';
import { createGateway } from './gateway.ts';
import { LocalRoutes } from './local-routes.ts';
import type { GatewayParts } from './pipeline.ts';

const messages = new Messages();
const eventsCalls: Array<[string, unknown]> = [];
const parameter = (Name: string, Value: string) => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Name, Value, Type: 'String' },
});
const template = { Resources: { A: parameter('/shop/a', '1'), B: parameter('/shop/deep/b', '2') } };
let cloud: Cloud;
let server: Server;
let endpoint: string;
const refused: ServiceCall[] = [];

/** The service with another API. */
const standIn = (service: AwsService<never>, api: Api): AwsService =>
  ({
    ...service,
    start: async () => ({ handle: undefined, api, [Symbol.asyncDispose]: async () => {} }),
  }) as AwsService;

const eventsStandIn = standIn(events as AwsService<never>, ({ operation, input }) => {
  eventsCalls.push([operation, input]);
  if (operation === 'CreateEventBus') throw new AwsError('ResourceAlreadyExistsException', 'there is one');
  return { FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] };
});
const lambdaStandIn = standIn(lambda as AwsService<never>, ({ operation }) => ({
  Functions: [{ FunctionName: operation }],
}));

beforeAll(async () => {
  const port = await findFreePort();
  endpoint = `http://127.0.0.1:${port}`;
  const parts = Promise.withResolvers<GatewayParts>();
  server = createGateway(parts.promise);
  await listenOnLoopback(server, port);
  const options = cloudOptions({ awsUrl: endpoint, messages });
  cloud = new Cloud([sqs, sts, sns, s3, dynamodb, ssm, ses, eventsStandIn, lambdaStandIn] as AwsService[], options);
  await cloud.start();
  const { stacks } = loadStacks([{ stackName: 'shop', template }], { ...options, resourceTypes: cloud.resourceTypes });
  await cloud.deploy(stacks);
  parts.resolve({
    services: cloud.started,
    callerOf: (accessKeyId) => cloud.callerOf(accessKeyId),
    authorizer: {
      authorize: (accessKeyId, call) => {
        if (accessKeyId !== 'stranger') return;
        refused.push(call);
        throw new AwsError('AccessDeniedException', `${accessKeyId} is not authorized`, 403);
      },
    },
    local: new LocalRoutes({
      messages,
      refusals: () => [{ caller: 'stranger', action: 'sqs:SendMessage' }],
      alarms: () => [{ name: 'orders-dlq-depth', state: 'OK' }],
      consoles: () => cloud.consoles(),
      issuer: async (request) => ({ status: 200, body: request }),
      health: () => ({ status: 'ok' }),
    }),
  });
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await cloud[Symbol.asyncDispose]();
});

beforeEach(() => messages.clear());

const settings = () => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
});

async function local(path: string, init?: RequestInit) {
  const response = await fetch(`${endpoint}${path}`, init);
  const body = response.status === 204 ? {} : ((await response.json()) as { messages?: CapturedMessage[] });
  return { status: response.status, body, messages: body.messages ?? [] };
}

describe('SQS, SNS, S3 and STS', () => {
  test('a queue has its URL on this port, takes and gives messages', async () => {
    const sqs = new SQSClient(settings());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
    expect(QueueUrl).toBe(`${endpoint}/000000000000/orders`);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'héllo' }));
    const { Messages: received } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(received).toMatchObject([{ Body: 'héllo' }]);
  });

  test('a message may have characters of any plane, and no half of a pair', async () => {
    const sqs = new SQSClient(settings());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'of-all-planes' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '👩‍🌾 𝕬' }));
    const { Messages: received } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(received).toMatchObject([{ Body: '👩‍🌾 𝕬' }]);
    for (const MessageBody of ['\ud83d', 'a\udc69', '\u0000', '\uffff']) {
      const attempt = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      await expect(attempt).rejects.toThrow('Invalid characters');
    }
  });

  test('SQS errors arrive as their own class', async () => {
    const attempt = new SQSClient(settings()).send(new GetQueueUrlCommand({ QueueName: 'nothing' }));
    await expect(attempt).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  test.each([
    ['SendMessageBatch', '{"QueueUrl":"x","Entries":"x"}', /Entries must be a list/],
    ['SendMessageBatch', '{"QueueUrl":"x","Entries":[{"Id":1}]}', /Entries\[0\].Id must be a string/],
    ['SendMessage', '{"QueueUrl":-1e999}', /QueueUrl must be a string/],
    [
      'SendMessage',
      '{"QueueUrl":"x","MessageBody":"x","MessageAttributes":{"a":{"DataType":[]}}}',
      /MessageAttributes.a.DataType must be/,
    ],
    ['ListQueues', '{"MaxResults":-1}', /MaxResults must be an integer between 1 and 1000/],
    ['ListQueues', `{"QueueNamePrefix":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /at most 100 levels/],
    ['SendMessage', '', /QueueUrl is required|must contain/],
  ])('what is no request is refused: %s %s', async (operation, body, message) => {
    const headers = { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' };
    const response = await fetch(endpoint, { method: 'POST', headers, body });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringMatching(message) });
  });

  test('a topic fans out to a queue', async () => {
    const sns = new SNSClient(settings());
    const sqs = new SQSClient(settings());
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'alarms' }));
    const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:alarmed';
    const [Principal, Condition] = [{ Service: 'sns.amazonaws.com' }, { ArnEquals: { 'aws:SourceArn': TopicArn } }];
    const Statement = { Effect: 'Allow', Principal, Action: 'sqs:SendMessage', Resource: Endpoint, Condition };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'alarmed', Attributes: { Policy } }));
    await sns.send(
      new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }),
    );
    await sns.send(new PublishCommand({ TopicArn, Message: 'on fire' }));
    const { Messages: received } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    expect(received).toMatchObject([{ Body: 'on fire' }]);
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn }]);
  });

  test('S3 keeps objects', async () => {
    const s3 = new S3Client({ ...settings(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'uploads' }));
    await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'a/b.txt', Body: 'content' }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'uploads', Key: 'a/b.txt' }));
    expect(await Body?.transformToString()).toBe('content');
  });

  test('STS says who is calling', async () => {
    const identity = await new STSClient(settings()).send(new GetCallerIdentityCommand({}));
    expect(identity.Account).toBe('000000000000');
  });
});

describe('DynamoDB', () => {
  test('tables, items and streams are there', async () => {
    const client = new DynamoDBClient(settings());
    await client.send(
      new CreateTableCommand({
        TableName: 'orders',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      }),
    );
    await client.send(new PutItemCommand({ TableName: 'orders', Item: { pk: { S: 'é' } } }));
    const { Item } = await client.send(new GetItemCommand({ TableName: 'orders', Key: { pk: { S: 'é' } } }));
    expect(Item).toEqual({ pk: { S: 'é' } });

    const streams = new DynamoDBStreamsClient(settings());
    const { Streams } = await streams.send(new ListStreamsCommand({ TableName: 'orders' }));
    const StreamArn = Streams?.[0]?.StreamArn;
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    expect(StreamDescription?.StreamStatus).toBe('ENABLED');
  });

  test('errors arrive as their own class', async () => {
    const attempt = new DynamoDBClient(settings()).send(
      new QueryCommand({
        TableName: 'nothing',
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: 'x' } },
      }),
    );
    await expect(attempt).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('who may not', () => {
  const stranger = () => ({ ...settings(), credentials: { accessKeyId: 'stranger', secretAccessKey: 'x' } });
  const queueUrl = 'http://127.0.0.1/000000000000/orders';
  const item = { pk: { S: '1' } };

  beforeEach(() => {
    refused.length = 0;
  });

  test.each<[service: string, call: () => Promise<unknown>, asked: object]>([
    [
      'SQS',
      () => new SQSClient(stranger()).send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'x' })),
      { service: 'sqs', operation: 'SendMessage', input: { QueueUrl: queueUrl } },
    ],
    [
      'SNS',
      () => new SNSClient(stranger()).send(new PublishCommand({ PhoneNumber: '+4915112345678', Message: 'x' })),
      { service: 'sns', operation: 'Publish', input: { PhoneNumber: '+4915112345678' } },
    ],
    [
      'S3',
      () => new S3Client({ ...stranger(), forcePathStyle: true }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })),
      { service: 's3', operation: 'GetObject', input: { Bucket: 'b', Key: 'k' } },
    ],
    [
      'DynamoDB',
      () => new DynamoDBClient(stranger()).send(new PutItemCommand({ TableName: 'orders', Item: item })),
      { service: 'dynamodb', operation: 'PutItem', input: { TableName: 'orders', Item: item } },
    ],
    [
      'EventBridge',
      () => new EventBridgeClient(stranger()).send(new CreateEventBusCommand({ Name: 'bus' })),
      { service: 'events', operation: 'CreateEventBus', input: { Name: 'bus' } },
    ],
    [
      'Lambda',
      () => new LambdaClient(stranger()).send(new ListFunctionsCommand({})),
      { service: 'lambda', operation: 'ListFunctions' },
    ],
    [
      'SSM',
      () => new SSMClient(stranger()).send(new GetParameterCommand({ Name: '/shop/a' })),
      { service: 'ssm', operation: 'GetParameter', input: { Name: '/shop/a' } },
    ],
    [
      'SES',
      () =>
        new SESv2Client(stranger()).send(
          new SendEmailCommand({ FromEmailAddress: 'shop@example.com', Content: { Raw: { Data: Buffer.from('x') } } }),
        ),
      { service: 'ses', operation: 'SendEmail', input: { FromEmailAddress: 'shop@example.com' } },
    ],
  ])('is refused by %s, in its own form', async (service, call, asked) => {
    await expect(call()).rejects.toMatchObject({
      // The SDK takes the code of the query protocol, which errors of SQS have in a header.
      name: service === 'SQS' ? 'AccessDenied' : 'AccessDeniedException',
      message: 'stranger is not authorized',
      $metadata: { httpStatusCode: 403 },
    });
    expect(refused).toMatchObject([asked]);
    expect(messages.list()).toEqual([]);
  });

  test('is refused in the query protocol of SQS, too', async () => {
    const response = await fetch(`${endpoint}/000000000000/orders`, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=stranger/20260101/us-east-1/sqs/aws4_request' },
      body: new URLSearchParams({ Action: 'SendMessage', MessageBody: 'x' }),
    });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>AccessDenied</Code>');
    expect(refused).toMatchObject([{ operation: 'SendMessage', input: { QueueUrl: '/000000000000/orders' } }]);
  });

  test('is listed', async () => {
    expect((await local('/_local/refusals')).body).toEqual({
      refusals: [{ caller: 'stranger', action: 'sqs:SendMessage' }],
    });
  });
});

describe('EventBridge, Lambda and SSM', () => {
  test('PutEvents reaches the engine with what the client sent', async () => {
    const entry = { Source: 'millrace.orders', DetailType: 'OrderPlaced.v1', Detail: '{"a":"é"}', EventBusName: 'bus' };
    const answer = await new EventBridgeClient(settings()).send(new PutEventsCommand({ Entries: [entry] }));
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] });
    expect(eventsCalls.at(-1)).toEqual(['PutEvents', { Entries: [entry] }]);
  });

  test('an error of the engine arrives as its own class', async () => {
    const attempt = new EventBridgeClient(settings()).send(new CreateEventBusCommand({ Name: 'bus' }));
    await expect(attempt).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException', message: 'there is one' });
  });

  test('a compressed body is understood', async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': 'AWSEvents.ListRules',
        'content-type': 'application/x-amz-json-1.1',
        'content-encoding': 'gzip',
      },
      body: gzipSync('{"Limit":3}'),
    });
    expect(response.status).toBe(200);
    expect(eventsCalls.at(-1)).toEqual(['ListRules', { Limit: 3 }]);
  });

  test('the Lambda API gets its requests', async () => {
    const { Functions } = await new LambdaClient(settings()).send(new ListFunctionsCommand({}));
    expect(Functions).toEqual([{ FunctionName: 'ListFunctions' }]);
  });

  test('parameters can be read one by one and by path', async () => {
    const ssm = new SSMClient(settings());
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/shop/a' }));
    expect(Parameter).toMatchObject({
      Name: '/shop/a',
      Value: '1',
      ARN: 'arn:aws:ssm:us-east-1:000000000000:parameter/shop/a',
    });
    const names = async (Recursive: boolean) =>
      (await ssm.send(new GetParametersByPathCommand({ Path: '/shop', Recursive }))).Parameters?.map(
        ({ Name }) => Name,
      );
    expect(await names(false)).toEqual(['/shop/a']);
    expect(await names(true)).toEqual(['/shop/a', '/shop/deep/b']);
    await expect(ssm.send(new GetParameterCommand({ Name: '/none' }))).rejects.toMatchObject({
      name: 'ParameterNotFound',
    });
  });
});

describe('captured messages', () => {
  const email = (to: string) =>
    new SendEmailCommand({
      FromEmailAddress: 'shop@example.com',
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: { Data: 'Hi' }, Body: { Text: { Data: 'Your order' } } } },
    });

  test('e-mails and SMS are listed newest last, filtered and cleared', async () => {
    const ses = new SESv2Client(settings());
    const { MessageId } = await ses.send(email('ada@example.com'));
    await new SNSClient(settings()).send(
      new PublishCommand({ PhoneNumber: '+4915112345678', Message: 'Shipped & gone' }),
    );
    await ses.send(email('bob@example.com'));

    const all = (await local('/_local/messages')).messages;
    expect(all.map(({ kind, to }) => [kind, ...to])).toEqual([
      ['email', 'ada@example.com'],
      ['sms', '+4915112345678'],
      ['email', 'bob@example.com'],
    ]);
    expect(all[0]).toMatchObject({ id: MessageId, from: 'shop@example.com', subject: 'Hi', text: 'Your order' });
    expect((await local('/_local/messages?kind=sms')).messages).toMatchObject([{ text: 'Shipped & gone' }]);
    expect((await local('/_local/messages?to=bob@example.com')).messages).toHaveLength(1);
    expect((await local('/_local/messages', { method: 'DELETE' })).status).toBe(204);
    expect((await local('/_local/messages')).messages).toEqual([]);
  });

  test.each(['"x"', '{"ToAddresses":-1}', '{"CcAddresses":"a@b.example"}', '{"BccAddresses":{}}'])(
    'SES takes no such destination: %s',
    async (destination) => {
      const { status } = await local('/v2/email/outbound-emails', {
        method: 'POST',
        headers: { authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ses/aws4_request' },
        body: `{"Destination":${destination},"Content":{"Simple":{"Subject":{"Data":"x"},"Body":{}}}}`,
      });
      expect(status).toBe(400);
    },
  );

  test('what SES and SNS would refuse is refused', async () => {
    const ses = new SESv2Client(settings());
    await expect(ses.send(email('nobody'))).rejects.toMatchObject({ name: 'BadRequestException' });
    const publish = new SNSClient(settings()).send(new PublishCommand({ PhoneNumber: '12', Message: 'x' }));
    await expect(publish).rejects.toMatchObject({ name: 'InvalidParameterException' });
    expect(messages.list()).toEqual([]);
  });
});

describe('what is not here', () => {
  test.each([
    [
      'a service',
      { authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/rds/aws4_request' },
      501,
      'UnknownService',
    ],
    ['a request for no service', {}, 403, 'MissingAuthenticationToken'],
    ['an operation', { 'x-amz-target': 'AmazonSSM.PutParameter' }, 400, 'UnknownOperationException'],
  ])('%s is an error in JSON that names it', async (_name, headers, status, code) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: new Headers(Object.entries(headers)),
      body: '{}',
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ __type: code });
  });

  test('is an error in XML for a query API', async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'Action=ListRoles',
    });
    expect(await response.text()).toContain('<Code>UnknownService</Code>');
  });

  test('a body that is not JSON is an error', async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body: '{',
    });
    expect(await response.json()).toMatchObject({ __type: 'SerializationException' });
  });

  test.each(['*', 'http://[', 'http://elsewhere/', 'x', '/bucket/%'])(
    'a request for %s, which is no path, is an error',
    async (path) => {
      const { hostname, port } = new URL(endpoint);
      const [response] = (await once(request({ hostname, port, path, method: 'OPTIONS' }).end(), 'response')) as [
        IncomingMessage,
      ];
      response.resume();
      expect(response.statusCode).toBe(400);
      expect((await local('/_local/health')).status).toBe(200);
    },
  );

  test('a request for the root of another origin is one for this root', async () => {
    expect((await fetch(`${endpoint}//`)).status).toBe(403);
  });

  test('a body that is too large is an error', async () => {
    const body = `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`;
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body,
    });
    expect(response.status).toBe(413);
  });

  test('the index says what is', async () => {
    expect((await local('/_local/')).body).toHaveProperty('GET /_local/messages');
    expect((await local('/_local/alarms')).body).toEqual({ alarms: [{ name: 'orders-dlq-depth', state: 'OK' }] });
    expect((await local('/_local/services')).body).toMatchObject({
      services: { sqs: { queues: expect.any(Array) }, sts: null },
    });
    expect((await local('/_local/issuer/token', { method: 'POST', body: '{}' })).body).toEqual({
      method: 'POST',
      path: '/token',
      body: '{}',
    });
    expect((await local('/_local/health')).body).toEqual({ status: 'ok' });
    expect((await local('/_local/nothing')).status).toBe(404);
  });
});
