import type { Clock } from '../../core/clock.ts';
import { failedItems } from './batch-response.ts';
import { type EventSourceMappingSettings, type Invoke, reportsBatchItemFailures } from './event-source-mapping.ts';
import { LATEST } from './function-identifier.ts';
import type { InvocationResult } from './function-pool.ts';

/** A record as DynamoDB Streams gives it and Lambda passes it on, plus the stream's ARN. */
export interface StreamRecord {
  eventID: string;
  eventName: string;
  eventSource: string;
  awsRegion: string;
  eventSourceARN: string;
  dynamodb: {
    SequenceNumber: string;
    ApproximateCreationDateTime?: number /* epoch seconds */;
    [key: string]: unknown;
  };
}

export interface StreamBatchContext {
  clock: Clock;
  settings: () => EventSourceMappingSettings;
  functionArn: string;
  streamArn: string;
  shardId: string;
  invoke: Invoke;
  /** Everything up to this sequence number is done with. */
  checkpoint: (sequenceNumber: string) => Promise<void>;
  /** Puts a document into a queue or topic. Rejects when it could not. */
  sendToDestination: (destinationArn: string, body: string, shardId: string) => Promise<void>;
  /** Milliseconds before the next try, after so many failures (1, 2, …). */
  retryDelay: (failures: number) => number;
  /** What the document about a batch that was given up says of its consumer, instead of what it says of a function. */
  failureContext?: ((condition: DiscardCondition) => object) | undefined;
  onWarning: (message: string) => void;
  /** Is told the age of the last record of each batch that the function is invoked with, in ms. */
  onIteratorAge?: ((age: number) => void) | undefined;
  signal: AbortSignal;
}

interface PendingBatch {
  records: StreamRecord[];
  failures: number;
  lastResult?: InvocationResult;
}

/** Why a batch was given up. */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/**
 * Invokes the function with a batch until every record of it is handled or given up: what comes after has to wait, so that the order
 * within the shard is kept. An abort ends it after the invocation under way, with the checkpoint where it is.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
export async function processStreamBatch(records: StreamRecord[], context: StreamBatchContext): Promise<void> {
  const pending: PendingBatch[] = [{ records, failures: 0 }];
  for (let batch = pending[0]; batch && !context.signal.aborted; batch = pending[0]) {
    const expired = countExpired(batch.records, context.settings().MaximumRecordAgeInSeconds ?? -1);
    if (expired > 0) {
      await discard(batch, expired, 'RecordAgeExceeded', context);
    } else {
      await attempt(batch, pending, context);
    }
    if (batch.records.length === 0) pending.splice(pending.indexOf(batch), 1);
  }
}

async function attempt(batch: PendingBatch, pending: PendingBatch[], context: StreamBatchContext): Promise<void> {
  const { settings, signal } = context;
  let result: InvocationResult;
  const last = batch.records.at(-1)?.dynamodb.ApproximateCreationDateTime;
  // By the clock that the database has.
  if (last !== undefined) context.onIteratorAge?.(Math.max(0, Date.now() - last * 1000));
  try {
    result = await context.invoke(JSON.stringify({ Records: batch.records }));
  } catch (error) {
    // The function was not called at all, which is no failure of the batch.
    context.onWarning(`Cannot invoke ${context.functionArn}: ${(error as Error).message}`);
    await context.clock.sleep(context.retryDelay(batch.failures + 1), signal).catch(() => undefined);
    return;
  }
  const succeeded = countSucceeded(result, batch.records, settings());
  if (succeeded > 0) await advance(batch, succeeded, context);
  if (batch.records.length === 0) return;

  batch.lastResult = result;
  if (settings().BisectBatchOnFunctionError && succeeded === 0 && batch.records.length > 1) {
    // Splitting is not a retry: both halves keep the count of the whole.
    const second = batch.records.splice(Math.ceil(batch.records.length / 2));
    pending.splice(1, 0, { ...batch, records: second });
    return;
  }
  // Behind a record that got through stands another one, with all of its retries before it.
  batch.failures = succeeded > 0 ? 1 : batch.failures + 1;
  const retries = settings().MaximumRetryAttempts ?? -1;
  if (retries !== -1 && batch.failures > retries) {
    await discard(batch, batch.records.length, 'RetryAttemptsExhausted', context);
  } else {
    await context.clock.sleep(context.retryDelay(batch.failures), signal).catch(() => undefined);
  }
}

/** How many records, from the first on, are done with. */
function countSucceeded(
  result: InvocationResult,
  records: StreamRecord[],
  settings: EventSourceMappingSettings,
): number {
  if (result.functionError) return 0;
  if (!reportsBatchItemFailures(settings)) return records.length;
  const failed = failedItems(result.payload, new Set(records.map(({ dynamodb }) => dynamodb.SequenceNumber)));
  if (failed === 'all') return 0;
  const lowest = records.findIndex(({ dynamodb }) => failed.has(dynamodb.SequenceNumber));
  return lowest === -1 ? records.length : lowest;
}

/** By the clock that the database has. */
function countExpired(records: StreamRecord[], maximumAgeSeconds: number): number {
  if (maximumAgeSeconds === -1) return 0;
  const oldest = Date.now() / 1000 - maximumAgeSeconds;
  const fresh = records.findIndex(({ dynamodb }) => (dynamodb.ApproximateCreationDateTime ?? oldest) >= oldest);
  return fresh === -1 ? records.length : fresh;
}

/** Takes the first records off the batch and remembers that they are done with. */
async function advance(batch: PendingBatch, count: number, { checkpoint }: StreamBatchContext): Promise<void> {
  const last = batch.records.splice(0, count).at(-1);
  if (last) await checkpoint(last.dynamodb.SequenceNumber);
}

async function discard(
  batch: PendingBatch,
  count: number,
  condition: DiscardCondition,
  context: StreamBatchContext,
): Promise<void> {
  const { signal, shardId, onWarning } = context;
  const destination = context.settings().DestinationConfig?.OnFailure?.Destination;
  const document = failureDocument(batch, count, condition, context, destination?.startsWith('arn:aws:s3:'));
  if (destination === undefined) {
    onWarning(
      `Gave up ${count} records of ${shardId} (${condition}), and there is no on-failure destination: ${document}`,
    );
    await advance(batch, count, context);
    return;
  }
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await context.sendToDestination(destination, document, shardId);
      await advance(batch, count, context);
      return;
    } catch (error) {
      onWarning(`Cannot send the failed batch of ${shardId} to ${destination}: ${(error as Error).message}`);
      await context.clock.sleep(context.retryDelay(failures), signal).catch(() => undefined);
    }
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html */
function failureDocument(
  { records, failures, lastResult }: PendingBatch,
  count: number,
  condition: DiscardCondition,
  { clock, functionArn, shardId, streamArn, failureContext }: StreamBatchContext,
  hasPayload = false,
): string {
  const first = records[0];
  const last = records[count - 1];
  const context = failureContext?.(condition) ?? {
    requestContext: {
      requestId: lastResult?.requestId,
      functionArn,
      condition,
      approximateInvokeCount: failures,
    },
    ...(lastResult
      ? {
          responseContext: {
            statusCode: 200,
            executedVersion: lastResult.executedVersion ?? LATEST,
            ...(lastResult.functionError ? { functionError: lastResult.functionError } : {}),
          },
        }
      : {}),
  };
  return JSON.stringify({
    ...context,
    version: '1.0',
    timestamp: new Date(clock.now()).toISOString(),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: first?.dynamodb.SequenceNumber,
      endSequenceNumber: last?.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: count,
      streamArn,
    },
    // Only a bucket has room for it.
    ...(hasPayload && { payload: JSON.stringify({ Records: records.slice(0, count) }) }),
  });
}

function arrival(record: StreamRecord | undefined): string | undefined {
  const seconds = record?.dynamodb.ApproximateCreationDateTime;
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
