import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { BuildAppOptions } from 'fauxqs';
import { localAuthorization } from '../../core/aws-json-client.ts';
import type { Sqs } from '../sqs/sqs.ts';

type Stores = NonNullable<BuildAppOptions['stores']>;
type FauxqsQueue = NonNullable<ReturnType<Stores['sqsStore']['getQueueByArn']>>;
type FauxqsMessage = Parameters<FauxqsQueue['enqueue']>[0];
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
  body: Buffer;
}

/** SNS, S3 and STS in this process, without a port of their own. */
export interface Fauxqs {
  /** Answers one HTTP request of any of the three. */
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers a request whose body has already been read. */
  answer: (request: BufferedRequest) => Promise<BufferedAnswer>;
  /**
   * Calls one SNS operation with its query parameters.
   *
   * @throws Error with the service's answer
   */
  sns: (operation: string, parameters: Record<string, string>) => Promise<string>;
  /** The policy of a topic, as JSON, if it has one. */
  policyOf: (arn: string) => string | undefined;
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
 * @param sqs where topics send messages to
 * @param dataDirectory where topics and objects are kept; in memory without one
 * @param onWarning told of a message of a topic that a queue does not take: it is lost, as on AWS without a dead-letter queue
 */
export async function startFauxqs({
  sqs,
  region,
  dataDirectory,
  onWarning,
}: {
  sqs: Sqs;
  region: string;
  dataDirectory?: string | undefined;
  onWarning?: ((line: string) => void) | undefined;
}): Promise<Fauxqs> {
  const { buildApp } = await import('fauxqs');
  const [{ SqsStore }, { SnsStore }, { S3Store }] = await Promise.all([
    internalModule<{ SqsStore: new () => Stores['sqsStore'] }>('./sqs/sqsStore.js'),
    internalModule<{ SnsStore: new () => Stores['snsStore'] }>('./sns/snsStore.js'),
    internalModule<{ S3Store: new () => Stores['s3Store'] }>('./s3/s3Store.js'),
  ]);
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  stores.sqsStore.getQueueByArn = (arn) => subscribedQueue(sqs, arn, onWarning);
  const persistence = dataDirectory === undefined ? undefined : await persist(stores, join(dataDirectory, 'fauxqs'));
  const app = buildApp({ logger: false, defaultRegion: region, stores });
  await app.ready();

  const answer: Fauxqs['answer'] = async ({ method, url, headers, body }) => {
    const response = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    // What a topic has sent to queues is kept before whoever published it is answered.
    await sqs.queues.journal.committed();
    return {
      status: response.statusCode,
      contentType: String(response.headers['content-type'] ?? 'application/octet-stream'),
      body: response.rawPayload,
    };
  };

  return {
    handle: (request, response) => app.routing(request, response),
    answer,
    policyOf: (arn) => stores.snsStore.getTopic(arn)?.attributes.Policy,
    sns: async (operation, parameters) => {
      const { status, body } = await answer({
        method: 'POST',
        url: '/',
        headers: {
          host: 'localhost',
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

/** What SNS needs of a queue that is subscribed to a topic. Deduplication is the queue's own task. */
function subscribedQueue(sqs: Sqs, arn: string, onWarning?: (line: string) => void): FauxqsQueue | undefined {
  if (!sqs.queues.byArn(arn)) return undefined;
  const enqueue = (message: FauxqsMessage): void => {
    const { body, messageAttributes, messageGroupId, messageDeduplicationId } = message;
    const attributes = Object.fromEntries(
      Object.entries(messageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
        name,
        {
          DataType,
          ...(StringValue !== undefined && { StringValue }),
          ...(BinaryValue !== undefined && { BinaryValue }),
        },
      ]),
    );
    try {
      sqs
        .deliver(arn, body, { messageAttributes: attributes, messageGroupId, messageDeduplicationId })
        .catch(() => undefined);
    } catch (error) {
      onWarning?.(`${arn} did not take a message of a topic: ${(error as Error).message}`);
    }
  };
  return { isFifo: () => false, enqueue } as Partial<FauxqsQueue> as FauxqsQueue;
}

/** As fauxqs does it: what is stored is loaded before the stores write to it. */
async function persist(stores: Stores, directory: string): Promise<Persistence> {
  const { PersistenceManager } = await internalModule<{ PersistenceManager: new (directory: string) => Persistence }>(
    './persistence.js',
  );
  await mkdir(directory, { recursive: true });
  const persistence = new PersistenceManager(directory);
  persistence.load(stores.sqsStore, stores.snsStore, stores.s3Store);
  stores.snsStore.persistence = persistence;
  stores.s3Store.persistence = persistence;
  return persistence;
}

async function internalModule<T>(path: string): Promise<T> {
  return (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as T;
}
