import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Clock, Timer } from '../../core/clock.ts';
import type { DeliveryPlan, DeliveryStream } from './delivery-stream.ts';
import type { FirehoseStore } from './firehose-store.ts';
import type { FirehoseMetric } from './metrics.ts';
import { formatTime, type PrefixValues } from './prefix.ts';
import { type CallFunction, type DeliveredRecord, type FailedRecord, transform } from './transformation.ts';

/** How long after a delivery that failed. */
const RETRY_MS = 30_000;
const FAILED = 'processing-failed';

export interface DeliveryOptions {
  stream: DeliveryStream;
  arn: string;
  region: string;
  plan: DeliveryPlan;
  store: FirehoseStore;
  clock: Clock;
  /** Writes an object. Rejects when it cannot, or may not. */
  putObject: (key: string, body: Buffer) => Promise<void>;
  call: CallFunction;
  report: (values: Partial<Record<FirehoseMetric, number>>) => void;
  warn: (line: string) => void;
}

/** The records of one object. */
interface Part {
  values: PrefixValues;
  records: DeliveredRecord[];
}

/**
 * Delivers what a stream has buffered, once it is large or old enough. A record leaves the buffer when its object is written: after a
 * crash in between it is delivered again.
 * https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
 */
export class Deliveries {
  readonly #options: DeliveryOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;
  #hasFailed = false;
  /** What the buffer has. Asking the store for it after each record would take the longer the more there is. */
  #waiting: { bytes: number; oldest: number | undefined };

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#waiting = options.store.waiting(options.stream.name);
  }

  /** Counts what has come into the buffer. */
  added(bytes: number, arrivedAt: number): void {
    this.#waiting = { bytes: this.#waiting.bytes + bytes, oldest: this.#waiting.oldest ?? arrivedAt };
    this.schedule();
  }

  /** Looks when the next delivery is due. */
  schedule(): void {
    const { plan, clock } = this.#options;
    if (this.#isStopped || this.#running || this.#hasFailed) return;
    const { bytes, oldest } = this.#waiting;
    if (oldest === undefined) return;
    this.#setTimer(bytes >= plan.bufferBytes ? clock.now() : oldest + plan.bufferMs);
  }

  /** Ends after the delivery under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #setTimer(at: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(at, () => {
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        this.#waiting = this.#options.store.waiting(this.#options.stream.name);
        if (!this.#hasFailed) this.schedule();
        else if (!this.#isStopped) this.#setTimer(this.#options.clock.now() + RETRY_MS);
      });
    });
  }

  async #run(): Promise<void> {
    const { stream, warn, report } = this.#options;
    try {
      await this.#deliver();
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) warn(`Delivery stream ${stream.name} cannot deliver: ${(error as Error).message}`);
      this.#hasFailed = true;
      report({ 'DeliveryToS3.Success': 0 });
    }
  }

  async #deliver(): Promise<void> {
    const { store, stream, plan, arn, region, call, report } = this.#options;
    const buffered = store.buffered(stream.name, plan.bufferBytes);
    let records: DeliveredRecord[] = buffered.map((record) => ({ ...record, fromLambda: {} }));
    const failed: FailedRecord[] = [];
    if (plan.transformation) {
      const sourceArn = stream.source?.KinesisStreamARN;
      const outcome = await transform(buffered, plan.transformation, { arn, region, sourceArn }, call);
      records = outcome.records;
      failed.push(...outcome.failed);
      store.remove(outcome.dropped);
      report({
        'SucceedProcessing.Records': records.length,
        'ExecuteProcessing.Success': outcome.failed.length > 0 ? 0 : 1,
      });
    }
    for (const part of this.#partition(records, failed)) await this.#write(part.values, part.records);
    if (failed.length > 0) await this.#writeFailed(failed);
  }

  /** Splits records by the keys in their prefix. Those without keys are put to the failed ones. */
  #partition(records: readonly DeliveredRecord[], failed: FailedRecord[]): Part[] {
    const { plan } = this.#options;
    const parts = new Map<string, Part>();
    for (const record of records) {
      const { arrivedAt: time, fromLambda, data } = record;
      try {
        const fromQuery = plan.isPartitioned ? (plan.query?.(data.toString()) ?? {}) : {};
        const values = { time, fromQuery, fromLambda };
        if (plan.isPartitioned) plan.prefix(values);
        const id = plan.isPartitioned ? JSON.stringify([fromQuery, fromLambda]) : '';
        const part: Part = parts.get(id) ?? { values, records: [] };
        parts.set(id, part);
        part.records.push(record);
      } catch (error) {
        const reason = {
          errorCode: 'DynamicPartitioning.MetadataExtractionFailed',
          errorMessage: (error as Error).message,
        };
        failed.push({ ...record, ...reason, attempts: 1 });
      }
    }
    return [...parts.values()];
  }

  async #write(values: PrefixValues, records: readonly DeliveredRecord[]): Promise<void> {
    const { plan, store, clock, report } = this.#options;
    const delimiter = Buffer.from(plan.delimiter);
    const content = Buffer.concat(records.flatMap(({ data }) => (delimiter.length > 0 ? [data, delimiter] : [data])));
    await this.#put(plan.prefix(values), content, plan.extension);
    store.remove(records.map(({ id }) => id));
    report({
      'DeliveryToS3.Bytes': content.length,
      'DeliveryToS3.Records': records.length,
      'DeliveryToS3.Success': 1,
      'DeliveryToS3.DataFreshness': Math.max(0, clock.now() - values.time) / 1000,
    });
  }

  /** https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html */
  async #writeFailed(failed: readonly FailedRecord[]): Promise<void> {
    const { plan, store, clock } = this.#options;
    const lines = failed.map(({ data, arrivedAt, attempts, errorCode, errorMessage }) =>
      JSON.stringify({
        attemptsMade: attempts,
        arrivalTimestamp: arrivedAt,
        errorCode,
        errorMessage,
        attemptEndingTimestamp: clock.now(),
        rawData: data.toString('base64'),
        ...(plan.transformation && { lambdaArn: plan.transformation.functionArn }),
      }),
    );
    const time = Math.min(...failed.map(({ arrivedAt }) => arrivedAt));
    const prefix = plan.errorPrefix({ time, fromQuery: {}, fromLambda: {}, errorOutputType: FAILED });
    await this.#put(prefix, Buffer.from(`${lines.join('\n')}\n`), plan.isCompressed ? '.gz' : '');
    store.remove(failed.map(({ id }) => id));
  }

  /** https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html */
  async #put(prefix: string, content: Buffer, extension: string): Promise<void> {
    const { stream, clock, plan, putObject } = this.#options;
    const time = formatTime(clock.now(), 'yyyy-MM-dd-HH-mm-ss', stream.destination.CustomTimeZone);
    const key = `${prefix}${stream.name}-1-${time}-${randomUUID()}${extension}`;
    await putObject(key, plan.isCompressed ? gzipSync(content) : content);
  }
}
