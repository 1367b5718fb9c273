import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import type { DeliverOptions } from '../../deliver.ts';
import { MovedClock } from '../../moved-clock.ts';
import { createS3Handler, type S3, type S3HandlerOptions, startS3 } from './index.ts';

export interface Delivered {
  arn: string;
  payload: Record<string, unknown>;
  options: DeliverOptions;
}

/** S3 behind a port of its own. */
export interface S3UnderTest extends AsyncDisposable {
  s3: S3;
  client: S3Client;
  url: string;
  clock: MovedClock;
  /** What has been delivered to targets, in order. */
  delivered: Delivered[];
  /** Fails the deliveries to a target, until it is taken away. */
  failing: Map<string, Error>;
}

export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
export const region = 'eu-central-1';

/** @param options of the handler, a data directory to keep objects in, and the time that the clock begins with */
export async function startS3UnderTest(
  options: Partial<S3HandlerOptions> & { dataDirectory?: string; pathStyle?: boolean; now?: number } = {},
): Promise<S3UnderTest> {
  const clock = new MovedClock(options.now);
  const delivered: Delivered[] = [];
  const failing = new Map<string, Error>();
  const s3 = startS3({
    ...{ region, accountId: '000000000000', clock, dataDirectory: options.dataDirectory },
    deliver: async (arn, payload, deliverOptions) => {
      const error = failing.get(arn);
      if (error) throw error;
      delivered.push({ arn, payload: JSON.parse(payload), options: deliverOptions });
    },
    warn: () => {},
  });
  const handle = createS3Handler({ s3, clock, ...options });
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pathStyle = options.pathStyle ?? true;
  const endpoint = pathStyle ? `http://127.0.0.1:${port}` : `http://localhost:${port}`;
  const client = new S3Client({ region, endpoint, credentials, forcePathStyle: pathStyle, maxAttempts: 1 });
  return {
    ...{ s3, client, clock, delivered, failing },
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await s3[Symbol.asyncDispose]();
    },
  };
}
