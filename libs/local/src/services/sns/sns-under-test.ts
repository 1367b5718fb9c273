import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SNSClient } from '@aws-sdk/client-sns';
import type { DeliverOptions } from '../../deliver.ts';
import type { CapturedMessage } from '../../messages.ts';
import { MovedClock } from '../../moved-clock.ts';
import { createSnsHandler, type Sns, startSns } from './index.ts';

export interface Delivered {
  arn: string;
  payload: string;
  options: DeliverOptions;
}

/** SNS behind a port of its own. */
export interface SnsUnderTest extends AsyncDisposable {
  sns: Sns;
  client: SNSClient;
  url: string;
  clock: MovedClock;
  delivered: Delivered[];
  /** Fails the deliveries to a target, or of a payload, until it is taken away. */
  failing: Map<string, Error>;
  captured: Omit<CapturedMessage, 'id' | 'sentAt'>[];
  warnings: string[];
}

export const region = 'eu-central-1';
export const accountId = '000000000000';
export const queueArn = (name: string): string => `arn:aws:sqs:${region}:${accountId}:${name}`;

export async function startSnsUnderTest(options: { dataDirectory?: string } = {}): Promise<SnsUnderTest> {
  const clock = new MovedClock();
  const delivered: Delivered[] = [];
  const failing = new Map<string, Error>();
  const captured: Omit<CapturedMessage, 'id' | 'sentAt'>[] = [];
  const warnings: string[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sns = startSns({
    ...{ region, accountId, origin: url, clock, dataDirectory: options.dataDirectory },
    deliver: async (arn, payload, deliverOptions) => {
      const error = failing.get(arn) ?? failing.get(payload);
      if (error) throw error;
      delivered.push({ arn, payload, options: deliverOptions });
    },
    capture: (message) => captured.push(message),
    warn: (message) => warnings.push(message),
  });
  const handle = createSnsHandler({ sns });
  server.on('request', (request, response) => void handle(request, response));
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const client = new SNSClient({ region, endpoint: url, credentials, maxAttempts: 1 });
  return {
    ...{ sns, client, url, clock, delivered, failing, captured, warnings },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sns[Symbol.asyncDispose]();
    },
  };
}

export interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

/** An HTTP endpoint that keeps what it gets, and answers with the statuses given, then with 200. */
export async function startEndpoint(
  statuses: number[] = [],
): Promise<{ url: string; received: Received[] } & AsyncDisposable> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/messages`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
