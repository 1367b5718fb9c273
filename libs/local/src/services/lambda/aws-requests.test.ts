import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LambdaUnderTest } from '../../../fixtures/lambda-under-test.ts';
import { sqs } from '../sqs/index.ts';
import { lambda } from './index.ts';

/** Sends requests to AWS in the way that the event names, and answers what came of it. */
const CODE = `
const http = require('node:http');
const { text } = require('node:stream/consumers');
const load = require('node:module').createRequire(process.env.LOAD_FROM);
const lazily = (name, client) => (options) => new (load('@aws-sdk/client-' + name)[client])(options);
const client = { s3: lazily('s3', 'S3Client'), sqs: lazily('sqs', 'SQSClient'), sts: lazily('sts', 'STSClient') };
const command = (name, which, input) => new (load('@aws-sdk/client-' + name)[which])(input);
const signature = (key, service) =>
  'AWS4-HMAC-SHA256 Credential=' + key + '/20260101/us-east-1/' + service + '/aws4_request, SignedHeaders=host, Signature=x';
const queueUrl = (queue) => process.env.AWS_ENDPOINT_URL + '/000000000000/' + queue;
const json = (queue, credentials) => ({
  method: 'POST',
  headers: { 'X-Amz-Target': 'AmazonSQS.SendMessage', 'Content-Type': 'application/x-amz-json-1.0', Authorization: signature(credentials?.accessKeyId ?? 'x', 'sqs') },
  body: JSON.stringify({ QueueUrl: queueUrl(queue), MessageBody: 'hé' }),
});
const ways = {
  lean: ({ queue, credentials }) => {
    const { sqs, SendMessageCommand } = load('@millrace/aws');
    return sqs(credentials && { credentials }).send(new SendMessageCommand({ QueueUrl: queueUrl(queue), MessageBody: 'hé' }));
  },
  sdk: ({ queue, credentials }) =>
    client.sqs({ credentials, maxAttempts: 1 }).send(command('sqs', 'SendMessageCommand', { QueueUrl: queueUrl(queue), MessageBody: 'hé' })),
  fetch: async ({ queue, credentials }) => {
    const response = await fetch(process.env.AWS_ENDPOINT_URL, json(queue, credentials));
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  },
  'node:http': ({ queue, credentials }) => new Promise((resolve, reject) => {
    const { body, ...options } = json(queue, credentials);
    const request = http.request(process.env.AWS_ENDPOINT_URL, options, async (response) => {
      const answer = await text(response);
      if (response.statusCode === 200) resolve(JSON.parse(answer));
      else reject(new Error(answer));
    });
    request.on('error', reject);
    request.end(body);
  }),
  rest: async ({ functionName }) => {
    const { lambda, InvokeCommand } = load('@millrace/aws');
    const { FunctionError, Payload } = await lambda().send(
      new InvokeCommand({ FunctionName: functionName, Qualifier: '$LATEST', Payload: JSON.stringify({ way: 'échoué' }) }),
    );
    return { FunctionError, ...JSON.parse(Payload) };
  },
  schedule: async () => {
    const { scheduler, DeleteScheduleCommand } = load('@millrace/aws');
    const deleted = scheduler().send(new DeleteScheduleCommand({ GroupName: 'default', Name: 'gone' }));
    return deleted.then(() => 'deleted', (error) => error.name);
  },
  objects: async () => {
    const s3 = client.s3({ forcePathStyle: true });
    const content = Buffer.alloc(300_000, 'content ');
    await s3.send(command('s3', 'PutObjectCommand', { Bucket: 'bucket', Key: 'a b/ü', Body: content }));
    const { ContentLength } = await s3.send(command('s3', 'HeadObjectCommand', { Bucket: 'bucket', Key: 'a b/ü' }));
    const { Body } = await s3.send(command('s3', 'GetObjectCommand', { Bucket: 'bucket', Key: 'a b/ü' }));
    return { ContentLength, isSame: content.equals(Buffer.from(await Body.transformToByteArray())) };
  },
  cutOff: async () => {
    await client.s3({ forcePathStyle: true }).send(command('s3', 'PutObjectCommand', { Bucket: 'bucket', Key: 'large', Body: Buffer.alloc(3_000_000) }));
    const abort = new AbortController();
    const headers = { authorization: signature('x', 's3') };
    const response = await fetch(process.env.AWS_ENDPOINT_URL + '/bucket/large', { headers, signal: abort.signal });
    abort.abort();
    return response.arrayBuffer().then(() => response.status, (error) => error.name);
  },
  session: async ({ roleArn, queue }) => {
    const { Credentials: given } = await client.sts({}).send(command('sts', 'AssumeRoleCommand', { RoleArn: roleArn, RoleSessionName: 'errand' }));
    const credentials = { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken };
    return Promise.all(['lean', 'sdk', 'fetch'].map((way) => ways[way]({ queue, credentials })));
  },
  health: async () => (await fetch(process.env.AWS_ENDPOINT_URL + '/_local/health')).status,
  poll: async ({ queue }) => {
    const sent = client.sqs({}).send(
      command('sqs', 'ReceiveMessageCommand', { QueueUrl: queueUrl(queue), WaitTimeSeconds: 20 }),
      { abortSignal: AbortSignal.timeout(20) },
    );
    return sent.then(() => 'answered', (error) => error.name);
  },
};
exports.handler = async (event) => ways[event.way](event);`;

const statement = (...Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });
const role = (RoleName: string, trusted: object, ...statements: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: trusted }],
    },
    Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const sender = 'sender';

let under: LambdaUnderTest;

beforeAll(async () => {
  under = new LambdaUnderTest();
  const logs = statement('logs:CreateLogStream', 'logs:PutLogEvents');
  await under.start(
    {
      Open: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'open' } },
      Quiet: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'quiet' } },
      Closed: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'closed' } },
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'bucket' } },
      SenderRole: role(
        'sender',
        { Service: 'lambda.amazonaws.com' },
        {
          ...statement('sqs:SendMessage', 'sqs:ReceiveMessage'),
          Resource: [queueArn('open'), queueArn('quiet'), queueArn('gone')],
        },
        statement('s3:PutObject', 's3:GetObject', 's3:ListBucket', 'sts:AssumeRole'),
        statement('scheduler:DeleteSchedule'),
        { ...statement('lambda:InvokeFunction'), Resource: `${functionArn(sender)}:$LATEST` },
        logs,
      ),
      Assumed: role(
        'assumed',
        { AWS: '000000000000' },
        { ...statement('sqs:SendMessage'), Resource: queueArn('closed') },
      ),
      Sender: under.fn(sender, {
        Role: { 'Fn::GetAtt': ['SenderRole', 'Arn'] },
        Timeout: 30,
        Environment: { Variables: { LOAD_FROM: import.meta.filename } },
      }),
    },
    { code: CODE },
  );
});
afterAll(() => under[Symbol.asyncDispose]());

let connectionsBefore: number;
beforeEach(() => {
  connectionsBefore = under.connections;
});
const connections = () => under.connections - connectionsBefore;

/** Calls the function without the port. */
async function call(event: object): Promise<unknown> {
  const functions = under.cloud.host.handleOf(lambda);
  const { result } = await functions.invoke(functionArn(sender), JSON.stringify(event));
  const answer = JSON.parse(result.payload);
  if (result.functionError) throw new Error(answer.errorMessage);
  return answer;
}

function messagesIn(name: string): number {
  return under.cloud.host.handleOf(sqs).queues.byArn(queueArn(name))?.messages.counts.visible ?? Number.NaN;
}

describe.each(['lean', 'sdk', 'fetch', 'node:http'])('a request of the client %s', (way) => {
  test('reaches the runtime without a connection', async () => {
    const before = messagesIn('open');
    expect(await call({ way, queue: 'open' })).toMatchObject({ MessageId: expect.any(String) });
    expect([messagesIn('open') - before, connections()]).toEqual([1, 0]);
  });

  test('has the identity of the function, whatever key signed it', async () => {
    const credentials = { accessKeyId: 'operator', secretAccessKey: 'local' };
    await expect(call({ way, queue: 'closed', credentials })).rejects.toThrow(/User: .*sender is not authorized/);
    expect(under.cloud.refusals()).toContainEqual(
      expect.objectContaining({ caller: sender, action: 'sqs:SendMessage', resource: queueArn('closed') }),
    );
    expect(connections()).toBe(0);
  });

  test('fails as over HTTP when AWS refuses it', async () => {
    await expect(call({ way, queue: 'gone' })).rejects.toThrow(/does not exist/);
  });
});

describe('a request by REST, with a path, a query and bytes,', () => {
  test('reaches the runtime without a connection', async () => {
    expect(await call({ way: 'rest', functionName: functionArn(sender) })).toMatchObject({
      FunctionError: 'Unhandled',
      errorType: 'TypeError',
    });
    expect(connections()).toBe(0);
  });

  test('reaches its service, which nothing in its path or headers names', async () => {
    expect(await call({ way: 'schedule' })).toBe('ResourceNotFoundException');
    expect(connections()).toBe(0);
  });

  test('has the identity of the function', async () => {
    await expect(call({ way: 'rest', functionName: 'other' })).rejects.toThrow(/sender is not authorized/);
  });
});

test('a request with a session key from STS has the identity of the session', async () => {
  const roleArn = 'arn:aws:iam::000000000000:role/assumed';
  expect(await call({ way: 'session', roleArn, queue: 'closed' })).toHaveLength(3);
  expect(connections()).toBe(0);
});

test('bodies are streams in both directions', async () => {
  expect(await call({ way: 'objects' })).toEqual({ ContentLength: 300_000, isSame: true });
  expect(connections()).toBe(0);
});

test('a request that the function aborts is aborted in the runtime', async () => {
  expect(await call({ way: 'poll', queue: 'quiet' })).toBe('AbortError');
  expect(await call({ way: 'lean', queue: 'quiet' })).toMatchObject({ MessageId: expect.any(String) });
  expect(messagesIn('quiet')).toBe(1);
});

test('a body whose request the function aborts ends with an error', async () => {
  expect(await call({ way: 'cutOff' })).toBe('AbortError');
});

test('requests without a signature go over HTTP', async () => {
  expect(await call({ way: 'health' })).toBe(200);
  expect(connections()).toBe(1);
});
