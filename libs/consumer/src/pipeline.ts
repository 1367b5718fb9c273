import { DuplicateEventError } from '@millrace/errors';
import type { Event, EventOf, ReadableContract } from '@millrace/events';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { Context, SQSRecord } from 'aws-lambda';
import { NotHandledError, settleBatch } from './batch.ts';
import { type AdmissionDependencies, admit, type Delivery, type EventRecord } from './delivery.ts';
import type { RecordHandled } from './effect-marks.ts';
import { type FailureDependencies, failureKindOf, release, settleFailure } from './failed-record.ts';

/** How the events of a batch are handled: one by one, or together. */
export interface Strategy<Received extends Event> {
  /** Called once for each batch, with what is to be handled. @returns what handles one record, and throws what it fails with */
  prepare: (records: readonly EventRecord<Received>[]) => (record: EventRecord<Received>) => Promise<void>;
  concurrency: number;
}

/** The metric of an acknowledged record; undefined for one whose copy is in the dead-letter queue. */
type Outcome = 'EventHandled' | 'EventDuplicate' | 'EventReplayIgnored' | 'EventDeferred' | undefined;

/** What a pipeline depends on. */
export interface PipelineDependencies extends AdmissionDependencies, FailureDependencies {
  /** Marks an event as handled when that is not part of its effect. */
  recordHandled: RecordHandled | undefined;
}

/**
 * What happens to the records of a batch: each is admitted, handled, and settled, and whatever cannot be proved successful is
 * reported as failed.
 */
export class Pipeline<Contracts extends readonly ReadableContract[]> {
  readonly #contracts: Contracts;
  readonly #strategy: Strategy<EventOf<Contracts[number]>>;
  readonly #dependencies: PipelineDependencies;

  constructor(
    contracts: Contracts,
    strategy: Strategy<EventOf<Contracts[number]>>,
    dependencies: PipelineDependencies,
  ) {
    this.#contracts = contracts;
    this.#strategy = strategy;
    this.#dependencies = dependencies;
  }

  /**
   * Handles a batch.
   * @param remainingMs until the records that have not ended are given up
   * @returns how each record ended, in their order: one that was fulfilled may be acknowledged
   */
  async handle(
    records: readonly SQSRecord[],
    context: Context,
    remainingMs: () => number,
  ): Promise<PromiseSettledResult<void>[]> {
    const deliveries = new Map(
      records.map((record) => [record, admit(record, this.#contracts, context, this.#dependencies)]),
    );
    const handle = this.#strategy.prepare(
      [...deliveries.values()].flatMap(({ content }) => (content.type === 'event' ? [content] : [])),
    );
    const settle = (record: SQSRecord) =>
      this.#settle(deliveries.get(record) as Delivery<EventOf<Contracts[number]>>, handle);
    const results = await settleBatch(records, settle, { concurrency: this.#strategy.concurrency, remainingMs });
    const settled = await Promise.allSettled(
      results.map((result, index) => {
        const record = records[index];
        return result.status === 'fulfilled' || !record ? undefined : this.#settleUnhandled(record, result);
      }),
    );
    // Counted here, not in `#settle`: a record abandoned at the deadline is redelivered and would count twice.
    for (const result of results) {
      if (result.status === 'fulfilled' && result.value) metrics.addMetric(result.value, MetricUnit.Count, 1);
    }
    publishMetrics();
    return settled as PromiseSettledResult<void>[];
  }

  /** Resolves when the record may be acknowledged. */
  async #settle<Received extends Event>(
    { record, content, log, correlationId }: Delivery<Received>,
    handle: (record: EventRecord<Received>) => Promise<void>,
  ): Promise<Outcome> {
    try {
      if (content.type === 'ignored') return 'EventReplayIgnored';
      if (content.type === 'refused') throw content.error;
      await handle(content);
      await this.#dependencies.recordHandled?.(content.context.inbox);
      return 'EventHandled';
    } catch (error) {
      if (error instanceof DuplicateEventError) {
        log().info('Duplicate event acknowledged');
        return 'EventDuplicate';
      }
      return settleFailure({ record, error, log: log(), correlationId }, this.#dependencies);
    }
  }

  /** What a record that was not handled still needs: the reason at its last attempt, or an end of its invisibility. */
  async #settleUnhandled(record: SQSRecord, { reason }: PromiseRejectedResult): Promise<void> {
    const { sqs, settings } = this.#dependencies;
    if (!(reason instanceof NotHandledError)) throw reason;
    if (reason.code === 'TIME_UP' && failureKindOf(reason, record, settings)) {
      await settleFailure({ record, error: reason, log: logger }, this.#dependencies);
      return;
    }
    if (reason.code === 'GROUP_STOPPED') await release(sqs, record, settings).catch(() => undefined);
    throw reason;
  }
}
