import type { Clock } from '../../core/clock.ts';
import { failedItems } from './batch-response.ts';
import { type EventSourceMappingSettings, type Invoke, reportsBatchItemFailures } from './event-source-mapping.ts';
import { LATEST } from './function-identifier.ts';
import type { InvocationResult } from './function-pool.ts';
import type { SourceRecord, StreamSource } from './stream-source.ts';
import { type OpenWindow, stateIn, windowMembers } from './tumbling-window.ts';

export interface StreamBatchContext {
  clock: Clock;
  settings: () => EventSourceMappingSettings;
  functionArn: string;
  source: Pick<StreamSource, 'arn' | 'batchInfo' | 'now'>;
  shardId: string;
  /** The window that the records belong to. Its state becomes the one that the function answers. */
  window?: OpenWindow | undefined;
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
  records: SourceRecord[];
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
export async function processStreamBatch(records: SourceRecord[], context: StreamBatchContext): Promise<void> {
  const pending: PendingBatch[] = [{ records, failures: 0 }];
  for (let batch = pending[0]; batch && !context.signal.aborted; batch = pending[0]) {
    const expired = countExpired(batch, context);
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
  const last = batch.records.at(-1)?.arrivedAt;
  if (last !== undefined) context.onIteratorAge?.(Math.max(0, context.source.now() - last));
  try {
    result = await context.invoke(JSON.stringify(eventOf(batch.records, context)));
  } catch (error) {
    // The function was not called at all, which is no failure of the batch.
    context.onWarning(`Cannot invoke ${context.functionArn}: ${(error as Error).message}`);
    await context.clock.sleep(context.retryDelay(batch.failures + 1), signal).catch(() => undefined);
    return;
  }
  const succeeded = countSucceeded(result, batch.records, context);
  if (succeeded > 0) {
    if (context.window) context.window.state = stateIn(result.payload)?.state;
    await advance(batch, succeeded, context);
  }
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

function eventOf(records: readonly SourceRecord[], { window, shardId, source }: StreamBatchContext): object {
  const Records = records.map(({ event }) => event);
  return { Records, ...(window && windowMembers(window, { shardId, streamArn: source.arn })) };
}

/** How many records, from the first on, are done with. */
function countSucceeded(
  result: InvocationResult,
  records: SourceRecord[],
  { settings, window }: StreamBatchContext,
): number {
  if (result.functionError) return 0;
  if (window && !stateIn(result.payload)) return 0;
  if (!reportsBatchItemFailures(settings())) return records.length;
  const failed = failedItems(result.payload, new Set(records.map(({ sequenceNumber }) => sequenceNumber)));
  if (failed === 'all') return 0;
  const lowest = records.findIndex(({ sequenceNumber }) => failed.has(sequenceNumber));
  return lowest === -1 ? records.length : lowest;
}

function countExpired(batch: PendingBatch, { settings, source }: StreamBatchContext): number {
  const maximumAgeSeconds = settings().MaximumRecordAgeInSeconds ?? -1;
  if (maximumAgeSeconds === -1) return 0;
  const oldest = source.now() - maximumAgeSeconds * 1000;
  const fresh = batch.records.findIndex(({ arrivedAt }) => (arrivedAt ?? oldest) >= oldest);
  return fresh === -1 ? batch.records.length : fresh;
}

/** Takes the first records off the batch and remembers that they are done with. */
async function advance(batch: PendingBatch, count: number, { checkpoint }: StreamBatchContext): Promise<void> {
  const last = batch.records.splice(0, count).at(-1);
  if (last) await checkpoint(last.sequenceNumber);
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
  { clock, functionArn, shardId, source, failureContext }: StreamBatchContext,
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
    [source.batchInfo]: {
      shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: count,
      streamArn: source.arn,
    },
    // Only a bucket has room for it.
    ...(hasPayload && { payload: JSON.stringify({ Records: records.slice(0, count).map(({ event }) => event) }) }),
  });
}

function arrival(record: SourceRecord | undefined): string | undefined {
  const time = record?.arrivedAt;
  return time === undefined ? undefined : new Date(time).toISOString().replace('.000Z', 'Z');
}
