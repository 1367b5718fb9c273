import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { QueueSource, SourceMessage } from '../sqs/queue-source.ts';
import { failedItems } from './batch-response.ts';
import { compileFilter } from './event-filter.ts';
import {
  checkSettings,
  type EventSourceMapping,
  type EventSourceMappingConfiguration,
  type EventSourceMappingProperties,
  type EventSourceMappingSettings,
  type Invoke,
  reportsBatchItemFailures,
} from './event-source-mapping.ts';
import { fitInvocations } from './fit-invocations.ts';
import { PAYLOAD_LIMIT_BYTES } from './function-pool.ts';
import { invalidParameter } from './lambda-errors.ts';
import { MappingSettings } from './mapping-settings.ts';

export interface SqsMappingOptions {
  clock: Clock;
  uuid?: string;
  properties: EventSourceMappingProperties;
  queue: QueueSource;
  functionArn: string;
  functionTimeoutSeconds: number;
  /** Batches at once where ScalingConfig sets none: how many containers the function may have. */
  functionConcurrency: number;
  invoke: Invoke;
  /** Something that AWS would show in the mapping's metrics only. */
  onWarning?: (message: string) => void;
}

const DEFAULT_BATCH_SIZE = 10;
const LONG_POLL_SECONDS = 20;
/** How long a queue that cannot be read is left alone, in ms. */
const RETRY_MS = 1000;

/**
 * Polls a queue and invokes a function with batches of its messages; deletes those that were handled and leaves the others to their
 * visibility timeout, as an AWS::Lambda::EventSourceMapping does.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 * @throws AwsError InvalidParameterValueException for settings Lambda would refuse, such as a function timeout above the queue's
 *   visibility timeout
 */
export function startSqsMapping(options: SqsMappingOptions): EventSourceMapping {
  return new SqsMapping(options);
}

class SqsMapping implements EventSourceMapping {
  readonly uuid: string;
  readonly #options: SqsMappingOptions;
  readonly #settings: MappingSettings;
  readonly #underWay = new Set<Promise<void>>();
  /** The queue could not be read the last time. It may come back, so the mapping goes on. */
  #unreadable = false;

  constructor(options: SqsMappingOptions) {
    this.#options = options;
    this.uuid = options.uuid ?? randomUUID();
    this.#settings = new MappingSettings({
      clock: options.clock,
      properties: options.properties,
      compile: (settings) => this.#compile(settings),
      poll: (signal) => this.#poll(signal),
    });
    this.#settings.start();
  }

  configuration(): EventSourceMappingConfiguration {
    return {
      ...this.#settings.configuration(),
      UUID: this.uuid,
      BatchSize: this.#batchSize,
      MaximumBatchingWindowInSeconds: this.#windowSeconds,
      EventSourceArn: this.#options.queue.queueArn,
      FunctionArn: this.#options.functionArn,
    };
  }

  update(changes: EventSourceMappingSettings): Promise<void> {
    return this.#settings.change(changes);
  }

  /** The queue itself wakes the poller. */
  wake(): void {}

  stop(): Promise<void> {
    return this.#settings.stop();
  }

  get #batchSize(): number {
    return this.#settings.current.BatchSize ?? DEFAULT_BATCH_SIZE;
  }

  get #windowSeconds(): number {
    return this.#settings.current.MaximumBatchingWindowInSeconds ?? 0;
  }

  #compile(settings: EventSourceMappingSettings): (record: object) => boolean {
    const { queue, functionTimeoutSeconds } = this.#options;
    checkSettings(settings, queue.queueArn);
    if (queue.visibilityTimeoutSeconds < functionTimeoutSeconds) {
      throw invalidParameter(
        `Queue visibility timeout: ${queue.visibilityTimeoutSeconds} seconds is less than Function timeout: ${functionTimeoutSeconds} seconds`,
      );
    }
    return compileFilter(settings.FilterCriteria, 'body');
  }

  async #poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const limit = this.#settings.current.ScalingConfig?.MaximumConcurrency ?? this.#options.functionConcurrency;
      if (this.#underWay.size >= limit) {
        await Promise.race(this.#underWay);
        continue;
      }
      try {
        const messages = await this.#collect(signal);
        this.#unreadable = false;
        if (messages.length > 0) this.#launch(messages);
      } catch (error) {
        if (!this.#unreadable) {
          this.#options.onWarning?.(`Cannot read ${this.#options.queue.queueArn}: ${(error as Error).message}`);
        }
        this.#unreadable = true;
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
    await Promise.all(this.#underWay);
  }

  /** Receives until the batch is full, the window is over, or the next message might not fit the invocation. */
  async #collect(signal: AbortSignal): Promise<SourceMessage[]> {
    const { clock, queue } = this.#options;
    const size = this.#batchSize;
    const messages = await queue.receive({ max: Math.min(size, 10), waitSeconds: LONG_POLL_SECONDS, signal });
    const window = this.#windowSeconds;
    const deadline = clock.now() + window * 1000;
    let bytes = byteLength(messages);
    while (
      window > 0 &&
      messages.length > 0 &&
      messages.length < size &&
      bytes < PAYLOAD_LIMIT_BYTES &&
      !signal.aborted
    ) {
      const waitSeconds = (deadline - clock.now()) / 1000;
      if (waitSeconds <= 0) break;
      const more = await queue.receive({ max: Math.min(size - messages.length, 10), waitSeconds, signal });
      bytes += byteLength(more);
      messages.push(...more);
    }
    return messages;
  }

  #launch(messages: SourceMessage[]): void {
    const handled = this.#handle(messages)
      .catch((error: Error) => {
        this.#options.onWarning?.(`Batch of ${this.#options.queue.queueArn} failed: ${error.message}`);
      })
      .finally(() => this.#underWay.delete(handled));
    this.#underWay.add(handled);
  }

  async #handle(messages: SourceMessage[]): Promise<void> {
    const { queue } = this.#options;
    const records = messages.map((message) => sqsRecord(message, queue));
    const filteredOut = records.filter((record) => !this.#settings.passes(record));
    if (filteredOut.length > 0) await queue.deleteBatch(filteredOut.map(({ receiptHandle }) => receiptHandle));
    const passed = filteredOut.length === 0 ? records : records.filter((record) => !filteredOut.includes(record));
    for (const batch of fitInvocations(passed, (record) => record)) {
      const failed = await this.#invoke(batch);
      const done = failed === 'all' ? [] : batch.filter(({ messageId }) => !failed.has(messageId));
      if (done.length > 0) await queue.deleteBatch(done.map(({ receiptHandle }) => receiptHandle));
    }
  }

  async #invoke(batch: SqsRecord[]): Promise<Set<string> | 'all'> {
    const traceHeader = traceHeaderOf(batch);
    const result = await this.#options.invoke(JSON.stringify({ Records: batch }), { traceHeader });
    if (result.functionError) return 'all';
    if (!reportsBatchItemFailures(this.#settings.current)) return new Set();
    return failedItems(result.payload, new Set(batch.map(({ messageId }) => messageId)));
  }
}

/** The trace of the messages, if they have one in common. */
function traceHeaderOf([first, ...others]: readonly SqsRecord[]): string | undefined {
  const header = first?.attributes.AWSTraceHeader;
  return others.every(({ attributes }) => attributes.AWSTraceHeader === header) ? header : undefined;
}

interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: Record<string, string>;
  messageAttributes: Record<string, unknown>;
  md5OfBody: string;
  eventSource: 'aws:sqs';
  eventSourceARN: string;
  awsRegion: string;
}

function sqsRecord(message: SourceMessage, queue: QueueSource): SqsRecord {
  const { messageId, receiptHandle, body, attributes, md5OfBody } = message;
  return {
    messageId,
    receiptHandle,
    body,
    attributes,
    messageAttributes: Object.fromEntries(
      Object.entries(message.messageAttributes).map(([name, attribute]) => [
        name,
        { ...attribute, stringListValues: [], binaryListValues: [] },
      ]),
    ),
    md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.queueArn,
    awsRegion: queue.region,
  };
}

function byteLength(messages: SourceMessage[]): number {
  return messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
}
