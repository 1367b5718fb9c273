import type { RuleIdentity } from '@millrace/event-pattern';
import { equalJitter } from '@millrace/retry';
import type { Clock, Timer } from '../../core/clock.ts';
import { DeliveryError } from '../../core/delivery.ts';
import type { BusEvent } from './bus-event.ts';
import { type CompiledTarget, isApiDestination, isEventBus, type RuleTarget } from './rule-target.ts';

/** What goes with an event beside its payload. */
export interface DeliveryContext {
  ruleArn: string;
  /** X-Ray's, of the PutEvents entry. */
  traceHeader: string | undefined;
  /** When the event is too old for another attempt, in milliseconds since the epoch. */
  deadline: number;
}

export interface DeliveryOptions {
  /** Delivers one event to a target. Throws DeliveryError; any other error counts as one to be retried. */
  deliver: (target: RuleTarget, payload: string, context: DeliveryContext) => Promise<void>;
  /** Puts a dead event into the target's dead-letter queue (SQS ARN). */
  sendToDeadLetterQueue: (
    queueArn: string,
    body: string,
    attributes: Record<string, string>,
    context: DeliveryContext,
  ) => Promise<void>;
  onWarning: (message: string) => void;
  clock: Pick<Clock, 'now' | 'setTimer'>;
  /** Milliseconds to wait before a retry; the first retry is number 1. */
  retryDelay: (retry: number) => number;
  /** Keeps deliveries that wait for a retry over restarts. Without it they end with the process. */
  store?: DeliveryStore | undefined;
}

/** Where deliveries wait for a retry. */
export interface DeliveryStore {
  /**
   * @param dueAt when the retry is made, in milliseconds since the epoch
   * @param key of the same delivery, if it has waited before
   * @returns its key
   * @throws Error when it cannot be written
   */
  saveDelivery(document: object, dueAt: number, key: number | undefined): number;
  removeDelivery(key: number): void;
  deliveries(): { key: number; dueAt: number; document: unknown }[];
}

interface Delivery {
  readonly rule: RuleIdentity;
  readonly target: RuleTarget;
  readonly event: Pick<BusEvent, 'id' | 'text' | 'traceHeader' | 'ingestedAt'>;
  readonly payload: string;
  readonly retries: number;
  /** In the store, once it has waited for a retry. */
  readonly key?: number;
}

type ExhaustedRetryCondition = 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';

const defaultRetryAttempts = 185;
const defaultEventAgeInSeconds = 86_400;

/** Milliseconds before a retry: half to all of a bound that doubles from one second up to ten minutes. */
export function exponentialBackoff(retry: number): number {
  return equalJitter(retry, { random: Math.random, firstBound: 1000, longestBound: 600_000 });
}

/**
 * Delivers events to targets, with the retries and the dead-letter queues of EventBridge.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export class Deliveries {
  readonly #options: DeliveryOptions;
  readonly #waiting = new Set<Timer>();
  /** Of the last process. */
  readonly #earlier: ReturnType<DeliveryStore['deliveries']>;
  #closed = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#earlier = options.store?.deliveries() ?? [];
  }

  /** Goes on with the deliveries that waited for a retry when the last process ended. */
  resume(): void {
    for (const { key, dueAt, document } of this.#earlier.splice(0)) {
      this.#wait({ ...(document as Delivery), key }, dueAt, undefined);
    }
  }

  /**
   * Resolves when the first attempt has ended, well or not, or at once for an API destination; retries go on by themselves.
   * @throws Error when the first attempt has failed and the store cannot keep the delivery for a retry
   */
  async start({ target, input, resolve }: CompiledTarget, rule: RuleIdentity, event: BusEvent): Promise<void> {
    const { id, text, traceHeader, ingestedAt } = event;
    const kept = { id, text, traceHeader, ingestedAt };
    const delivery = {
      rule: { name: rule.name, arn: rule.arn },
      target,
      event: kept,
      payload: input(event, rule),
      retries: 0,
    };
    if (event.isForwarded && isEventBus(target.Arn)) return this.#bury(delivery, secondHop(event));
    let resolved: RuleTarget;
    try {
      resolved = resolve(event);
    } catch (error) {
      return this.#bury(delivery, new DeliveryError('INVALID_PARAMETER', messageOf(error), false));
    }
    const attempt = this.#attempt({ ...delivery, target: resolved });
    // An API destination may keep the event waiting: its rate is limited.
    if (isApiDestination(target.Arn)) attempt.catch((error) => this.#options.onWarning(messageOf(error)));
    else await attempt;
  }

  /** Stops retrying. Without a store it says how many events were given up by it. */
  close(): void {
    this.#closed = true;
    const lost = this.#waiting.size;
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
    if (lost > 0 && !this.#options.store)
      this.#options.onWarning(`${lost} event deliveries were waiting for a retry and are lost`);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { target, payload, retries } = delivery;
    try {
      await this.#options.deliver(target, payload, contextOf(delivery));
      this.#forget(delivery);
    } catch (error) {
      const failure = error instanceof DeliveryError ? error : new DeliveryError('UNKNOWN', messageOf(error), true);
      const exhausted = this.#exhausted(delivery);
      if (!failure.retryable) await this.#bury(delivery, failure);
      else if (exhausted) await this.#bury(delivery, failure, exhausted);
      else this.#retryLater({ ...delivery, retries: retries + 1 }, failure);
    }
  }

  #retryLater(delivery: Delivery, failure: DeliveryError): void {
    const { clock, retryDelay, onWarning, store } = this.#options;
    const what = `Event ${delivery.event.id} for ${delivery.target.Arn}`;
    if (this.#closed) {
      // One that is in the store is delivered after the next start.
      if (delivery.key !== undefined) return;
      if (store) throw new Error(`${what} failed while stopping: ${failure.message}`);
      onWarning(`${what} failed while stopping and is lost`);
      return;
    }
    const delay = Math.max(retryDelay(delivery.retries), failure.retryAfter ?? 0);
    const dueAt = Math.min(clock.now() + delay, expiry(delivery));
    this.#wait({ ...delivery, ...this.#keep(delivery, dueAt) }, dueAt, failure);
  }

  /** @throws Error when a delivery that has not waited before cannot be written */
  #keep({ key, ...document }: Delivery, dueAt: number): { key?: number } {
    const { store, onWarning } = this.#options;
    if (!store) return {};
    try {
      return { key: store.saveDelivery(document, dueAt, key) };
    } catch (error) {
      if (key === undefined) throw error;
      // It is in the store as it was before the last attempt.
      onWarning(`Event ${document.event.id} waits for its next attempt in memory: ${messageOf(error)}`);
      return { key };
    }
  }

  #forget({ key, event }: Delivery): void {
    if (key === undefined || this.#closed) return;
    try {
      this.#options.store?.removeDelivery(key);
    } catch (error) {
      this.#options.onWarning(`Event ${event.id} may be delivered again after the next start: ${messageOf(error)}`);
    }
  }

  #wait(delivery: Delivery, dueAt: number, failure: DeliveryError | undefined): void {
    const { clock } = this.#options;
    const timer = clock.setTimer(dueAt, () => {
      this.#waiting.delete(timer);
      // An event that has grown too old while it waited is not tried again.
      const tooOld = clock.now() >= expiry(delivery);
      const settled =
        tooOld && failure
          ? this.#bury({ ...delivery, retries: delivery.retries - 1 }, failure, 'MaximumEventAgeInSeconds')
          : this.#attempt(delivery);
      void settled;
    });
    this.#waiting.add(timer);
  }

  #exhausted(delivery: Delivery): ExhaustedRetryCondition | undefined {
    const maximum = delivery.target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetryAttempts;
    if (delivery.retries >= maximum) return 'MaximumRetryAttempts';
    return this.#options.clock.now() >= expiry(delivery) ? 'MaximumEventAgeInSeconds' : undefined;
  }

  async #bury(delivery: Delivery, failure: DeliveryError, exhausted?: ExhaustedRetryCondition): Promise<void> {
    await this.#sendToDeadLetterQueue(delivery, failure, exhausted);
    this.#forget(delivery);
  }

  async #sendToDeadLetterQueue(
    delivery: Delivery,
    failure: DeliveryError,
    exhausted: ExhaustedRetryCondition | undefined,
  ): Promise<void> {
    const { rule, target, event, retries } = delivery;
    const queueArn = target.DeadLetterConfig?.Arn;
    const what = `Rule ${rule.name} could not deliver event ${event.id} to ${target.Arn} (${failure.code}: ${failure.message})`;
    if (queueArn === undefined) {
      this.#options.onWarning(`${what}. The target has no dead-letter queue: the event is lost.`);
      return;
    }
    try {
      const attributes = {
        RULE_ARN: rule.arn,
        TARGET_ARN: target.Arn,
        ERROR_CODE: failure.code,
        ERROR_MESSAGE: failure.message,
        ...(exhausted && { EXHAUSTED_RETRY_CONDITION: exhausted }),
        RETRY_ATTEMPTS: String(retries),
      };
      await this.#options.sendToDeadLetterQueue(queueArn, event.text, attributes, contextOf(delivery));
    } catch (error) {
      this.#options.onWarning(
        `${what}, nor to its dead-letter queue ${queueArn} (${messageOf(error)}): the event is lost.`,
      );
    }
  }
}

/**
 * An event goes from one bus to another once.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
 */
function secondHop({ id }: BusEvent): DeliveryError {
  const message = `Event ingestion rejected for event ${id} because an event can be sent to an event bus target only once. This event was previously delivered to an event bus target.`;
  return new DeliveryError('THIRD_ACCOUNT_HOP_DETECTED', message, false);
}

/** When a delivery's event is too old, in milliseconds since the epoch. */
function expiry({ target, event }: Delivery): number {
  return event.ingestedAt + (target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultEventAgeInSeconds) * 1000;
}

function contextOf(delivery: Delivery): DeliveryContext {
  const { rule, event } = delivery;
  return { ruleArn: rule.arn, traceHeader: event.traceHeader, deadline: expiry(delivery) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
