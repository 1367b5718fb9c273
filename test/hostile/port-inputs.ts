import * as fc from 'fast-check';
import { signatureOf } from './aws-port.ts';
import { hostileTexts, invalidUtf8 } from './hostile-json.ts';
import { requestBytes } from './raw-http.ts';

/** A request to the port of the AWS APIs, byte by byte. */
export interface PortInput {
  way: 'port';
  kind: string;
  bytes: Buffer;
}

interface Api {
  service: string;
  method?: string;
  path?: string;
  target?: string;
  contentType?: string;
  /** A sound body, which harms nobody: what it names does not exist. */
  input: object;
}

const nobody = 'hostile-nobody';

/** Operations that change nothing the system lives on, however they are mutated. */
const apis: readonly Api[] = [
  ...(
    [
      [
        'SendMessage',
        {
          QueueUrl: nobody,
          MessageBody: 'x',
          DelaySeconds: 0,
          MessageAttributes: { a: { DataType: 'String', StringValue: 'x' } },
        },
      ],
      ['SendMessageBatch', { QueueUrl: nobody, Entries: [{ Id: '0', MessageBody: 'x' }] }],
      [
        'ReceiveMessage',
        { QueueUrl: nobody, MaxNumberOfMessages: 1, WaitTimeSeconds: 0, MessageAttributeNames: ['All'] },
      ],
      ['DeleteMessageBatch', { QueueUrl: nobody, Entries: [{ Id: '0', ReceiptHandle: 'x' }] }],
      ['ChangeMessageVisibility', { QueueUrl: nobody, ReceiptHandle: 'x', VisibilityTimeout: 0 }],
      ['GetQueueAttributes', { QueueUrl: nobody, AttributeNames: ['All'] }],
      ['ListQueues', { QueueNamePrefix: nobody, MaxResults: 10 }],
    ] as const
  ).map(([operation, input]) => ({ service: 'sqs', target: `AmazonSQS.${operation}`, input })),
  ...(
    [
      [
        'PutEvents',
        {
          Entries: [
            { EventBusName: nobody, Source: 'x', DetailType: 'x', Detail: '{"a":1}', Time: 1, Resources: ['x'] },
          ],
        },
      ],
      ['TestEventPattern', { EventPattern: '{"source":[{"prefix":"x"}]}', Event: '{"id":"1","source":"x"}' }],
      ['ListRules', { EventBusName: nobody, Limit: 10, NextToken: 'x' }],
      ['DescribeRule', { EventBusName: nobody, Name: 'x' }],
      ['DescribeReplay', { ReplayName: 'x' }],
    ] as const
  ).map(([operation, input]) => ({ service: 'events', target: `AWSEvents.${operation}`, input })),
  ...(
    [
      ['GetItem', { TableName: nobody, Key: { pk: { S: 'x' }, sk: { S: 'x' } }, ConsistentRead: true }],
      ['PutItem', { TableName: nobody, Item: { pk: { S: 'x' }, n: { N: '1' }, l: { L: [{ M: {} }] } } }],
      [
        'Query',
        { TableName: nobody, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'x' } } },
      ],
      [
        'UpdateItem',
        {
          TableName: nobody,
          Key: { pk: { S: 'x' } },
          UpdateExpression: 'SET a = :a',
          ExpressionAttributeValues: { ':a': { N: '1' } },
        },
      ],
      ['TransactWriteItems', { TransactItems: [{ Put: { TableName: nobody, Item: { pk: { S: 'x' } } } }] }],
    ] as const
  ).map(([operation, input]) => ({ service: 'dynamodb', target: `DynamoDB_20120810.${operation}`, input })),
  { service: 'ssm', target: 'AmazonSSM.GetParameter', input: { Name: `/${nobody}`, WithDecryption: true } },
  { service: 'lambda', path: `/2015-03-31/functions/${nobody}/invocations`, input: { a: 1 } },
  {
    service: 'lambda',
    path: '/2015-03-31/functions/millrace-re-emitter-dev-reemit/invocations',
    input: { queueName: nobody, messages: [] },
  },
  { service: 'lambda', method: 'PUT', path: `/2015-03-31/event-source-mappings/${nobody}`, input: { Enabled: false } },
  {
    service: 'ses',
    path: '/v2/email/outbound-emails',
    input: {
      FromEmailAddress: 'a@b.example',
      Destination: { ToAddresses: ['c@d.example'] },
      Content: { Simple: { Subject: { Data: 'x' }, Body: { Text: { Data: 'x' } } } },
    },
  },
  {
    service: 'issuer',
    path: '/_local/issuer/token',
    input: { sub: 'x', scope: 'x', expiresIn: 1, audience: 'x', issuer: 'x' },
  },
];

const form = 'application/x-www-form-urlencoded';
const forms: readonly { service: string; body: string }[] = [
  { service: 'sns', body: `Action=Publish&TopicArn=arn:aws:sns:us-east-1:000000000000:${nobody}&Message=x` },
  { service: 'sns', body: 'Action=Publish&PhoneNumber=garbage&Message=x' },
  { service: 'sqs', body: `Action=SendMessage&QueueUrl=${nobody}&MessageBody=x` },
  { service: 'cloudformation', body: `Action=DescribeStacks&StackName=${nobody}` },
  { service: 'sts', body: 'Action=GetCallerIdentity&Version=2011-06-15' },
];

const paths = [
  ...[
    '/',
    '//',
    '///',
    '/%',
    '/%00',
    '/..',
    '/_local',
    '/_local/',
    '/_local/../..',
    '/_local/nothing',
    '/_local/messages?to=%',
    '/_local/issuer/',
  ],
  ...[
    '/_local/issuer/token',
    '/2015-03-31/functions/',
    '/2015-03-31/functions/%/invocations',
    '/2015-03-31/functions/%00/invocations',
    '/?',
    '/?%',
  ],
  ...[
    '/2015-03-31/event-source-mappings/?Marker=%00&MaxItems=x',
    '/v2/email/outbound-emails',
    '/bucket/%',
    '/bucket//key',
    '*',
    'http://[',
    'http://x/',
    'x',
  ],
  ...[
    `/${'x'.repeat(9_000)}`,
    '/__proto__',
    '/bucket?list-type=x&max-keys=-1',
    '/2015-03-31/functions/__proto__/invocations',
  ],
];
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
const targetTexts = [
  ...[
    '',
    '.',
    'AmazonSQS.',
    'AmazonSQS.__proto__',
    'AWSEvents.constructor',
    'DynamoDB_20120810.',
    'AmazonSSM.toString',
    'x',
    '\u00ff',
    '__proto__.x',
  ],
  ...[
    'x'.repeat(7_000),
    'DynamoDBStreams_20120810.GetRecords',
    'AmazonSQS.SendMessage.SendMessage',
    'AWSEvents.PutEvents ',
  ],
];
const authorizations = [
  ...[
    '',
    'x',
    'Credential=',
    'Credential=/////',
    'Credential=a/b/c/sqs',
    'Credential=__proto__/b/c/events/aws4_request',
    '\u00ff',
  ],
  ...[
    'x'.repeat(7_000),
    'AWS4-HMAC-SHA256 Credential=,',
    'Credential=x/y/us-east-1/s3/aws4_request',
    'Credential=x/y/z/dynamodb/aws4_request',
  ],
];
const services = ['sqs', 'events', 'dynamodb', 'ssm', 'lambda', 'ses', 'sns', 's3', 'sts', 'cloudformation'];

/** Requests to the AWS APIs at a host, most of them nearly sound. */
export function portInputs(host: string): fc.Arbitrary<PortInput> {
  const input = (
    kind: string,
    requestLine: string,
    headers: readonly (readonly [string, string])[],
    body?: Buffer | string,
  ): PortInput => {
    const bytes = body === undefined ? undefined : Buffer.from(body as string);
    const usual = [
      ['host', host],
      ['connection', 'close'],
      ...(bytes ? [['content-length', String(bytes.length)]] : []),
    ] as [string, string][];
    return { way: 'port', kind, bytes: requestBytes(`${requestLine} HTTP/1.1`, [...usual, ...headers], bytes) };
  };
  const call = (kind: string, api: Api, body: Buffer | string, headers: [string, string][] = []): PortInput => {
    const { service, method = 'POST', path = '/', target, contentType = 'application/x-amz-json-1.0' } = api;
    const usual: [string, string][] = [
      ['authorization', signatureOf('hostile', service)],
      ['content-type', contentType],
      ...(target === undefined ? [] : ([['x-amz-target', target]] as [string, string][])),
    ];
    const named = new Set(headers.map(([name]) => name));
    return input(
      `${service}: ${kind}`,
      `${method} ${path}`,
      [...usual.filter(([name]) => !named.has(name)), ...headers],
      body,
    );
  };
  const anyApi = fc.constantFrom(...apis);
  return fc.oneof(
    {
      weight: 60,
      arbitrary: anyApi.chain((api) =>
        hostileTexts(fc.constant(api.input)).map(({ kind, text }) => call(kind, api, text)),
      ),
    },
    {
      weight: 4,
      arbitrary: anyApi.chain((api) =>
        invalidUtf8(fc.constant(api.input)).map((body) => call('invalid UTF-8', api, body)),
      ),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(anyApi, fc.constantFrom(...targetTexts))
        .map(([api, target]) => call('target', api, JSON.stringify(api.input), [['x-amz-target', target]])),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(anyApi, fc.constantFrom(...authorizations))
        .map(([api, authorization]) =>
          call('signature', api, JSON.stringify(api.input), [['authorization', authorization]]),
        ),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(anyApi, fc.constantFrom('gzip', 'br', 'x'))
        .map(([api, encoding]) =>
          call('content-encoding', api, JSON.stringify(api.input), [['content-encoding', encoding]]),
        ),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(anyApi, fc.constantFrom('', form, 'text/xml', '\u00ff', 'application/x-amz-json-1.1'))
        .map(([api, type]) => call('content-type', api, JSON.stringify(api.input), [['content-type', type]])),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom(...forms), fc.string({ unit: 'binary', maxLength: 20 }), fc.boolean())
        .map(([{ service, body }, text, behind]) =>
          call(
            'form',
            { service, input: {}, contentType: form },
            behind ? `${body}${text}` : `${body}&${encodeURIComponent(text)}=%`,
          ),
        ),
    },
    {
      weight: 14,
      arbitrary: fc
        .tuple(fc.constantFrom(...paths), fc.constantFrom(...methods), fc.constantFrom(...services))
        .map(([path, method, service]) =>
          input(
            'path',
            `${method} ${path}`,
            [['authorization', signatureOf('hostile', service)]],
            method === 'GET' ? undefined : '{}',
          ),
        ),
    },
  );
}
