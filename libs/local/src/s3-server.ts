import { lockDataDirectory } from './core/data-directory.ts';
import { type ServiceOnPort, startServiceOnPort } from './service-on-port.ts';
import { type LocalS3, s3 } from './services/s3/index.ts';

/**
 * Starts S3 on a port of its own, for tests of what keeps objects, and to read what a runtime has kept.
 *
 * @param dataDirectory where objects are kept; in memory without one
 * @throws FolderError when it cannot be used; Error when another process has it
 * @example
 * await using server = await startS3Server();
 * const client = new S3Client({ endpoint: server.endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
 */
export async function startS3Server(dataDirectory?: string): Promise<ServiceOnPort<LocalS3>> {
  if (dataDirectory === undefined) return startServiceOnPort(s3);
  await using started = new AsyncDisposableStack();
  started.defer(lockDataDirectory(dataDirectory));
  const server = started.use(await startServiceOnPort(s3, { dataDirectory }));
  const owned = started.move();
  return { ...server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
