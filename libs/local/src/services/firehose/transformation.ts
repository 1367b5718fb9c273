import { randomUUID } from 'node:crypto';
import type { DeliveryPlan } from './delivery-stream.ts';
import type { BufferedRecord } from './firehose-store.ts';

/** A record on its way into an object. */
export interface DeliveredRecord extends BufferedRecord {
  fromLambda: Readonly<Record<string, string>>;
}

/** A record that could not be processed. */
export interface FailedRecord extends BufferedRecord {
  errorCode: string;
  errorMessage: string;
  attempts: number;
}

interface Outcome {
  records: DeliveredRecord[];
  failed: FailedRecord[];
  /** The ids of those that the function has left out. */
  dropped: number[];
}

/** Calls a function. Resolves to its answer as JSON, rejects when it fails or may not be called. */
export type CallFunction = (functionArn: string, payload: string) => Promise<string>;

/** Base64 makes three bytes four. */
const INFLATION = 4 / 3;

/**
 * Lets a function transform records.
 * https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
 */
export async function transform(
  records: readonly BufferedRecord[],
  transformation: NonNullable<DeliveryPlan['transformation']>,
  stream: { arn: string; region: string; sourceArn: string | undefined },
  call: CallFunction,
): Promise<Outcome> {
  const outcome: Outcome = { records: [], failed: [], dropped: [] };
  for (const batch of batches(records, transformation.bytes / INFLATION)) {
    const payload = JSON.stringify({
      invocationId: randomUUID(),
      deliveryStreamArn: stream.arn,
      ...(stream.sourceArn !== undefined && { sourceKinesisStreamArn: stream.sourceArn }),
      region: stream.region,
      records: batch.map(({ id, data, arrivedAt }) => ({
        recordId: String(id),
        approximateArrivalTimestamp: arrivedAt,
        data: data.toString('base64'),
      })),
    });
    const { answer, error, attempts } = await attempt(
      () => call(transformation.functionArn, payload),
      transformation.retries,
    );
    if (answer === undefined) {
      const reason = { errorCode: 'Lambda.FunctionError', errorMessage: String(error), attempts };
      outcome.failed.push(...batch.map((record) => ({ ...record, ...reason })));
    } else {
      sort(batch, answer, attempts, outcome);
    }
  }
  return outcome;
}

async function attempt(
  call: () => Promise<string>,
  retries: number,
): Promise<{ answer: string | undefined; error: string; attempts: number }> {
  let error = '';
  for (let attempts = 1; ; attempts += 1) {
    try {
      return { answer: await call(), error, attempts };
    } catch (caught) {
      error = (caught as Error).message;
      if (attempts > retries) return { answer: undefined, error, attempts };
    }
  }
}

interface Answered {
  recordId: string;
  result: string;
  data?: string;
  metadata?: { partitionKeys?: Record<string, unknown> };
}

function sort(batch: readonly BufferedRecord[], answer: string, attempts: number, outcome: Outcome): void {
  const answered = new Map(recordsIn(answer).map((record) => [String(record.recordId), record]));
  for (const record of batch) {
    const { result, data, metadata } = answered.get(String(record.id)) ?? {};
    if (result === 'Dropped') outcome.dropped.push(record.id);
    else if (result === 'Ok' && typeof data === 'string') {
      const keys = Object.entries(metadata?.partitionKeys ?? {}).map(([name, value]) => [name, String(value)]);
      outcome.records.push({ ...record, data: Buffer.from(data, 'base64'), fromLambda: Object.fromEntries(keys) });
    } else {
      const isFailed = result === 'ProcessingFailed';
      outcome.failed.push({
        ...record,
        attempts,
        errorCode: isFailed ? 'Lambda.ProcessingFailedStatus' : 'Lambda.MissingRecordId',
        errorMessage: isFailed
          ? 'ProcessingFailed status set for record'
          : 'One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.',
      });
    }
  }
}

function recordsIn(answer: string): Answered[] {
  try {
    const { records } = JSON.parse(answer) as { records?: unknown };
    return Array.isArray(records)
      ? (records.filter((record) => record && typeof record === 'object') as Answered[])
      : [];
  } catch {
    return [];
  }
}

function batches(records: readonly BufferedRecord[], bytes: number): BufferedRecord[][] {
  const all: BufferedRecord[][] = [];
  let room = 0;
  for (const record of records) {
    if (record.data.length > room || all.length === 0) {
      all.push([]);
      room = bytes;
    }
    all.at(-1)?.push(record);
    room -= record.data.length;
  }
  return all;
}
