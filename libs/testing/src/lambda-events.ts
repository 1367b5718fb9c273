import { createHash, randomUUID } from 'node:crypto';
import type {
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
  AttributeValue,
  Context,
  DynamoDBRecord,
  DynamoDBStreamEvent,
  KinesisStreamEvent,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda';

/** A record as Lambda hands it to a queue's consumer. */
export function sqsRecord(body: string, overrides: Partial<SQSRecord> = {}): SQSRecord {
  const now = String(Date.now());
  const { attributes, ...rest } = overrides;
  return {
    messageId: randomUUID(),
    receiptHandle: `handle-${randomUUID()}`,
    body,
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test-queue',
    awsRegion: 'us-east-1',
    ...rest,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: now,
      SenderId: 'AIDATEST',
      ApproximateFirstReceiveTimestamp: now,
      ...attributes,
    },
  };
}

/**
 * The variables a consumer's function is deployed with.
 * @param endpoint of SQS; unless given nobody answers there
 */
export function consumerVariables(consumer: string, endpoint = 'http://127.0.0.1:1'): Record<string, string> {
  return {
    MILLRACE_CONSUMER: consumer,
    AWS_ENDPOINT_URL_SQS: endpoint,
    MILLRACE_CONSUMER_QUEUE_URL: `${endpoint}/000000000000/queue`,
    MILLRACE_CONSUMER_DLQ_URL: `${endpoint}/000000000000/dlq`,
    MILLRACE_MAX_RECEIVE_COUNT: '5',
    MILLRACE_MAX_RETRY_DELAY: '300',
    MILLRACE_QUEUE_RETENTION: '345600',
    MILLRACE_REPLAYS: 'ignore',
  };
}

/**
 * The settings of a consumer whose SQS is a fake.
 * @example consume([OrderPlaced], handle, {}, { sqs: new RecordingClient(), settings: consumerSettings('butler.onKnocked') });
 */
export function consumerSettings(
  consumer: string,
  changes: { maxReceiveCount?: number; replays?: 'ignore' | 'handle' | 'rebuild' } = {},
) {
  return {
    consumer,
    queueUrl: 'http://127.0.0.1/queue',
    deadLetterQueueUrl: 'http://127.0.0.1/dlq',
    maxReceiveCount: 5,
    maxRetryDelaySeconds: 300,
    retentionSeconds: 345_600,
    replays: 'ignore' as const,
    ...changes,
  };
}

/** A record of a FIFO queue. */
export function fifoRecord(body: string, messageGroupId: string, overrides: Partial<SQSRecord> = {}): SQSRecord {
  const record = sqsRecord(body, {
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:test-queue.fifo',
    ...overrides,
  });
  record.attributes.MessageGroupId = messageGroupId;
  record.attributes.MessageDeduplicationId = record.md5OfBody;
  return record;
}

/** The event of a batch; texts become records. */
export function sqsEvent(...records: (SQSRecord | string)[]): SQSEvent {
  return { Records: records.map((record) => (typeof record === 'string' ? sqsRecord(record) : record)) };
}

/** A record as Lambda hands it to a stream's consumer: the insert of one item, in DynamoDB's attribute format. */
export function insertRecord(
  item: Record<string, AttributeValue>,
  sequenceNumber: string,
  eventName: 'INSERT' | 'MODIFY' = 'INSERT',
): DynamoDBRecord {
  const Keys = Object.fromEntries(Object.entries(item).filter(([name]) => name === 'pk' || name === 'sk'));
  return {
    eventID: randomUUID(),
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/test/stream/2026-01-01T00:00:00.000',
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
      Keys,
      NewImage: item,
      SequenceNumber: sequenceNumber,
      SizeBytes: JSON.stringify(item).length,
      StreamViewType: 'NEW_IMAGE',
    },
  };
}

/** The event of a stream's batch. */
export function streamEvent(...records: DynamoDBRecord[]): DynamoDBStreamEvent {
  return { Records: records };
}

/** The event of a batch of a Kinesis stream; values that are not bytes become JSON. Sequence numbers count from 1. */
export function kinesisEvent(...values: unknown[]): KinesisStreamEvent {
  return {
    Records: values.map((value, index) => {
      const sequenceNumber = String(index + 1);
      return {
        awsRegion: 'us-east-1',
        eventID: `shardId-000000000000:${sequenceNumber}`,
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/test',
        eventVersion: '1.0',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/test',
        kinesis: {
          approximateArrivalTimestamp: Date.now() / 1000,
          data: Buffer.from(value instanceof Uint8Array ? value : JSON.stringify(value)).toString('base64'),
          kinesisSchemaVersion: '1.0',
          partitionKey: 'key',
          sequenceNumber,
        },
      };
    }),
  };
}

/** A request as an HTTP API with a JWT authorizer hands it to its integration, payload format 2.0. */
export type AuthorizedRequest = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: { jwt: { claims: Record<string, string>; scopes: null } } }
>;

/**
 * A request as an HTTP API hands it to its integration, payload format 2.0. `body` is sent as JSON unless it is text.
 * The token's claims are those of customer-1 unless given; `null` is a route without an authorizer.
 */
export function httpRequest(
  routeKey: `${string} ${string}`,
  options: {
    path?: Record<string, string>;
    query?: Record<string, string>;
    body?: unknown;
    headers?: Record<string, string>;
    claims?: Record<string, string> | null;
  } = {},
): AuthorizedRequest {
  const [method = 'GET', template = '/'] = routeKey.split(' ');
  const rawPath = template.replace(/\{(\w+)\+?\}/g, (_, name) => options.path?.[name] ?? '');
  const body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  const claims = options.claims === undefined ? { sub: 'customer-1' } : options.claims;
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: new URLSearchParams(options.query).toString(),
    headers: { 'content-type': 'application/json', host: '127.0.0.1', ...options.headers },
    ...(options.path ? { pathParameters: options.path } : {}),
    ...(options.query ? { queryStringParameters: options.query } : {}),
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      ...(claims ? { authorizer: { jwt: { claims, scopes: null } } } : {}),
      domainName: '127.0.0.1',
      domainPrefix: 'test',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: Date.now(),
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  };
}

/** A Lambda context with this much time left. */
export function lambdaContext(remaining: number | (() => number) = 30_000): Context {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'test',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test',
    memoryLimitInMB: '512',
    awsRequestId: randomUUID(),
    logGroupName: '/aws/lambda/test',
    logStreamName: 'test',
    getRemainingTimeInMillis: typeof remaining === 'function' ? remaining : () => remaining,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
