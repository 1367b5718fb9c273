import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BuildAppOptions } from 'fauxqs';
import { localAuthorization, parseAwsJson } from '../../core/aws-json-client.ts';
import { carryTraceHeaders, type SendAction, TraceHeaders } from './sqs-trace-headers.ts';

type Stores = NonNullable<BuildAppOptions['stores']>;
type Persistence = NonNullable<Stores['sqsStore']['persistence']> & {
  load: (sqs: Stores['sqsStore'], sns: Stores['snsStore'], s3: Stores['s3Store']) => void;
  close: () => void;
};

/** A request that has been read, for an API that fauxqs speaks. */
export interface BufferedRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body?: Buffer | string;
}

export interface BufferedAnswer {
  status: number;
  contentType: string;
  /** What errors of SQS carry beside their body. */
  headers: { 'x-amzn-query-error'?: string };
  body: Buffer;
}

/** SQS, SNS, S3 and STS in this process, without a port of their own. */
export interface Fauxqs {
  /** Answers one HTTP request of any of the four. */
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers a request whose body has already been read. */
  answer: (request: BufferedRequest) => Promise<BufferedAnswer>;
  /**
   * Calls one SQS operation.
   *
   * @throws AwsError the service's own
   */
  sqs: (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;
  /**
   * Calls one SNS operation with its query parameters.
   *
   * @throws Error with the service's answer
   */
  sns: (operation: string, parameters: Record<string, string>) => Promise<string>;
  /** The queues, for event source mappings in this process. */
  store: Stores['sqsStore'];
  /** The policy of a queue or topic, as JSON, if it has one. */
  policyOf: (arn: string) => string | undefined;
  /** The trace headers that messages were sent with, by message id. */
  traceHeaders: TraceHeaders;
  /** Creates a bucket unless it is there. */
  createBucket: (name: string) => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Starts fauxqs inside this process.
 *
 * Its own `startFauxqs` listens on every network interface. `buildApp` listens nowhere, but persistence is then set up
 * here, with the three stores and the persistence that the package has beside its entry point and does not export.
 *
 * @param awsUrl origin that queue URLs stand on
 * @param dataDirectory where queues, messages, topics and objects are kept; in memory without one
 */
export async function startFauxqs({
  awsUrl,
  region,
  dataDirectory,
}: {
  awsUrl: string;
  region: string;
  dataDirectory?: string | undefined;
}): Promise<Fauxqs> {
  const { buildApp } = await import('fauxqs');
  const [{ SqsStore }, { SnsStore }, { S3Store }] = await Promise.all([
    internalModule<{ SqsStore: new () => Stores['sqsStore'] }>('./sqs/sqsStore.js'),
    internalModule<{ SnsStore: new () => Stores['snsStore'] }>('./sns/snsStore.js'),
    internalModule<{ S3Store: new () => Stores['s3Store'] }>('./s3/s3Store.js'),
  ]);
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  // Without a host of its own the store makes queue URLs from the request's, which is the gateway's.
  stores.sqsStore.host = '';
  const persistence =
    dataDirectory === undefined ? undefined : await persist(stores, join(dataDirectory, 'fauxqs'), awsUrl);
  const app = buildApp({ logger: false, defaultRegion: region, stores });
  const traceHeaders = new TraceHeaders();
  const [{ sendMessage }, { sendMessageBatch }] = await Promise.all([
    internalModule<{ sendMessage: SendAction }>('./sqs/actions/sendMessage.js'),
    internalModule<{ sendMessageBatch: SendAction }>('./sqs/actions/sendMessageBatch.js'),
  ]);
  carryTraceHeaders(app, traceHeaders, {
    SendMessage: (input) => sendMessage(input, stores.sqsStore),
    SendMessageBatch: (input) => sendMessageBatch(input, stores.sqsStore),
  });
  await acceptAllPlanes();
  await app.ready();

  const answer: Fauxqs['answer'] = async ({ method, url, headers, body }) => {
    const response = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    const queryError = response.headers['x-amzn-query-error'];
    return {
      status: response.statusCode,
      headers: queryError === undefined ? {} : { 'x-amzn-query-error': String(queryError) },
      contentType: String(response.headers['content-type'] ?? 'application/octet-stream'),
      body: response.rawPayload,
    };
  };
  const { host } = new URL(awsUrl);

  return {
    handle: (request, response) => app.routing(request, response),
    answer,
    store: stores.sqsStore,
    policyOf: (arn) =>
      arn.startsWith('arn:aws:sqs:')
        ? stores.sqsStore.getQueueByArn(arn)?.attributes.Policy
        : stores.snsStore.getTopic(arn)?.attributes.Policy,
    traceHeaders,
    sqs: async (operation, input) => {
      const { status, body } = await answer({
        method: 'POST',
        url: '/',
        headers: {
          host,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `AmazonSQS.${operation}`,
          authorization: localAuthorization(region, 'sqs'),
        },
        body: JSON.stringify(input),
      });
      return parseAwsJson(status, body.toString());
    },
    sns: async (operation, parameters) => {
      const { status, body } = await answer({
        method: 'POST',
        url: '/',
        headers: {
          host,
          'content-type': 'application/x-www-form-urlencoded',
          authorization: localAuthorization(region, 'sns'),
        },
        body: new URLSearchParams({ Action: operation, Version: '2010-03-31', ...parameters }).toString(),
      });
      if (status >= 300)
        throw new Error(`SNS ${operation} failed: ${/<Message>(.*?)<\/Message>/.exec(body.toString())?.[1]}`);
      return body.toString();
    },
    createBucket: async (name) => {
      if (!stores.s3Store.hasBucket(name)) stores.s3Store.createBucket(name);
    },
    stop: async () => {
      await app.close();
      persistence?.close();
    },
  };
}

/** As fauxqs does it: what is stored is loaded before the stores write to it. */
async function persist(stores: Stores, directory: string, awsUrl: string): Promise<Persistence> {
  const { PersistenceManager } = await internalModule<{ PersistenceManager: new (directory: string) => Persistence }>(
    './persistence.js',
  );
  await mkdir(directory, { recursive: true });
  moveQueueUrls(join(directory, 'fauxqs.db'), awsUrl);
  const persistence = new PersistenceManager(directory);
  persistence.load(stores.sqsStore, stores.snsStore, stores.s3Store);
  stores.sqsStore.persistence = persistence;
  stores.snsStore.persistence = persistence;
  stores.s3Store.persistence = persistence;
  for (const queue of stores.sqsStore.allQueues()) queue.persistence = persistence;
  return persistence;
}

/** Queue URLs are stored with the port of the run that created them; this run may have another. */
function moveQueueUrls(databasePath: string, awsUrl: string): void {
  if (!existsSync(databasePath)) return;
  const database = new DatabaseSync(databasePath);
  try {
    database.prepare(`UPDATE sqs_queues SET url = ? || '/000000000000/' || name`).run(awsUrl);
  } finally {
    database.close();
  }
}

/**
 * Fauxqs looks at the halves of surrogate pairs, and so refuses messages with a character beyond the first plane, such as an
 * emoji. SQS takes them, but no half alone.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
async function acceptAllPlanes(): Promise<void> {
  const { INVALID_MESSAGE_BODY_CHAR } = await internalModule<{ INVALID_MESSAGE_BODY_CHAR: RegExp }>(
    './sqs/sqsTypes.js',
  );
  const unacceptable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
  INVALID_MESSAGE_BODY_CHAR.test = (body) => unacceptable.test(body);
}

async function internalModule<T>(path: string): Promise<T> {
  return (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as T;
}
