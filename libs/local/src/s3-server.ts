import { type ServiceOnPort, startServiceOnPort } from './service-on-port.ts';
import { type LocalS3, s3 } from './services/s3/index.ts';

/**
 * Starts S3 on a port of its own, for tests of what keeps objects.
 *
 * @param dataDirectory where objects are kept; in memory without one
 * @example
 * await using server = await startS3Server();
 * const client = new S3Client({ endpoint: server.endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
 */
export function startS3Server(dataDirectory?: string): Promise<ServiceOnPort<LocalS3>> {
  return startServiceOnPort(s3, { dataDirectory });
}
