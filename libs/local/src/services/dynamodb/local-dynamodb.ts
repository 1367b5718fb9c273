import type { Input } from '../../core/access.ts';
import type { Api, MeteredCall } from '../../core/service.ts';
import type { Used } from './answer.ts';

/** What other services may use of DynamoDB. */
export interface LocalDynamoDb {
  /**
   * Runs an operation on tables or streams. Nothing is authorized or counted. A write is kept when this resolves.
   * @throws AwsError
   */
  call(operation: string, input: Input): Promise<Record<string, unknown>>;
  /** Calls back when a stream may have new records. @returns ends it */
  onRecords(streamArn: string, listener: () => void): () => void;
}

/** A DynamoDB behind the port: the embedded one, or one outside. */
export interface DynamoDbBackend extends LocalDynamoDb, AsyncDisposable {
  answer: Api;
  /** What a call has used; undefined when that is not known. */
  usedBy(output: MeteredCall['output']): Used | undefined;
  console(): unknown;
}
