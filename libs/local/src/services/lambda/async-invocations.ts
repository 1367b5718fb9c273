import { randomUUID } from 'node:crypto';
import { lambdaLimits } from '@millrace/events/aws-limits';
import { backoffBound } from '@millrace/retry';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { AsyncOutcome, SendOutcome, VersionedResult } from './async-outcomes.ts';
import { tooLarge } from './lambda-errors.ts';
import type { AsyncEvent, LambdaStore } from './lambda-store.ts';

/** How events of a function, a version or an alias are handled. */
export interface AsyncSettings {
  /** After errors of the function. */
  maximumRetryAttempts: number;
  maximumEventAgeInSeconds: number;
  /** Events handled at once. */
  concurrency: number;
  /** The reserved concurrency is 0: events go to the dead letters without an attempt. */
  isPaused: boolean;
}

/** What a function was invoked with, and how. */
export interface AsyncRequest {
  functionName: string;
  qualifier?: string | undefined;
  payload: string;
  traceHeader?: string | undefined;
  clientContext?: string | undefined;
}

export interface AsyncInvocationsOptions {
  store: LambdaStore;
  clock: Clock;
  /** @throws AwsError for what is not there, and what cannot be called at the moment (429, 5xx) */
  invoke: (event: AsyncEvent) => Promise<VersionedResult>;
  /** @throws AwsError ResourceNotFoundException */
  settingsOf: (functionName: string, qualifier: string | undefined) => AsyncSettings;
  /** Sends an event that is done with to where it goes then. Never rejects. */
  send: SendOutcome;
  metric: (
    functionName: string,
    metric: 'AsyncEventsReceived' | 'AsyncEventAge' | 'AsyncEventsDropped',
    value: number,
  ) => void;
  warn: (line: string) => void;
}

const MINUTE_MS = 60_000;
/** Between attempts that do not reach the function. */
const BACKOFF_MS = { firstBound: 1000, longestBound: 5 * MINUTE_MS };

/**
 * Lambda's queue of asynchronous events: each is kept until its function has handled it, or until it is given up. Errors of the
 * function are tried again after one minute, then after two; throttles and errors of the system from one second up to five
 * minutes apart, until the event is too old. A function may get an event twice.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class AsyncInvocations {
  readonly #options: AsyncInvocationsOptions;
  /** How many events are being handled, by function. */
  readonly #running = new Map<string, number>();
  readonly #timers = new Set<Timer>();
  readonly #underWay = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: AsyncInvocationsOptions) {
    this.#options = options;
  }

  /** Goes on with the events that an earlier process has left. */
  start(): void {
    for (const { functionName, dueAt } of this.#options.store.waitingEvents()) this.#wakeAt(functionName, dueAt);
  }

  /**
   * Accepts an event. When it returns, the event is kept.
   *
   * @returns the request id that the function will see
   * @throws AwsError RequestTooLargeException, ResourceNotFoundException
   */
  accept({ functionName, qualifier, payload, traceHeader, clientContext }: AsyncRequest): string {
    const { store, clock, settingsOf, metric } = this.#options;
    const size = Buffer.byteLength(payload);
    if (size > lambdaLimits.asyncPayloadBytes) throw tooLarge(size, 'Event', lambdaLimits.asyncPayloadBytes);
    settingsOf(functionName, qualifier);
    const requestId = randomUUID();
    const given = { requestId, functionName, qualifier, payload, traceHeader, clientContext };
    store.addEvent({ ...given, receivedAt: clock.now(), failures: 0, throttles: 0, lastResult: undefined });
    metric(functionName, 'AsyncEventsReceived', 1);
    this.#pump(functionName);
    return requestId;
  }

  /** Takes no more events, and waits for those being handled. What they come to counts only if they were handled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    await Promise.all(this.#underWay);
  }

  #wakeAt(functionName: string, dueAt: number): void {
    if (this.#stopped) return;
    const timer = this.#options.clock.setTimer(dueAt, () => {
      this.#timers.delete(timer);
      this.#pump(functionName);
    });
    this.#timers.add(timer);
  }

  /** Starts as many events of a function as may run. */
  #pump(functionName: string): void {
    const { store, clock } = this.#options;
    while (!this.#stopped) {
      const running = this.#running.get(functionName) ?? 0;
      if (running >= this.#concurrencyOf(functionName)) return;
      const event = store.takeEvent(functionName, clock.now());
      if (!event) return;
      this.#running.set(functionName, running + 1);
      const handled = this.#handle(event).finally(() => {
        this.#underWay.delete(handled);
        this.#running.set(functionName, (this.#running.get(functionName) ?? 1) - 1);
        this.#pump(functionName);
      });
      this.#underWay.add(handled);
    }
  }

  #concurrencyOf(functionName: string): number {
    try {
      return this.#options.settingsOf(functionName, undefined).concurrency;
    } catch {
      // The function is gone: its events are dropped one by one.
      return 1;
    }
  }

  async #handle(event: AsyncEvent): Promise<void> {
    const { clock, metric, settingsOf, invoke } = this.#options;
    const { functionName, qualifier } = event;
    try {
      const settings = settingsOf(functionName, qualifier);
      if (settings.isPaused) return await this.#end(event, 'RetriesExhausted');
      if (clock.now() >= expiryOf(event, settings)) return await this.#end(event, 'EventAgeExceeded');
      metric(functionName, 'AsyncEventAge', clock.now() - event.receivedAt);
      const result = await invoke(event);
      if (!result.functionError) return await this.#end({ ...event, lastResult: JSON.stringify(result) }, 'Success');
      // The containers end before this does: the function was not given its time.
      if (this.#stopped) return this.#options.store.putBackEvent(event, clock.now());
      await this.#failed({ ...event, failures: event.failures + 1, throttles: 0, lastResult: JSON.stringify(result) });
    } catch (error) {
      this.#notReached(event, error);
    }
  }

  /** The function has ended with an error. */
  async #failed(event: AsyncEvent): Promise<void> {
    const { maximumRetryAttempts } = this.#options.settingsOf(event.functionName, event.qualifier);
    if (event.failures > maximumRetryAttempts) return this.#end(event, 'RetriesExhausted');
    this.#retryIn(event, event.failures * MINUTE_MS);
  }

  /** The function was not called. */
  #notReached(event: AsyncEvent, error: unknown): void {
    const { store, clock, metric, warn } = this.#options;
    if (this.#stopped) {
      store.putBackEvent(event, clock.now());
      return;
    }
    if (error instanceof AwsError && error.status !== 429 && error.status < 500) {
      warn(`An asynchronous event of ${event.functionName} is lost: ${error.message}`);
      metric(event.functionName, 'AsyncEventsDropped', 1);
      store.removeEvent(event.requestId);
      return;
    }
    const throttles = event.throttles + 1;
    this.#retryIn({ ...event, throttles }, backoffBound(throttles, BACKOFF_MS));
  }

  #retryIn(event: AsyncEvent, delayMs: number): void {
    const { store, clock, settingsOf } = this.#options;
    const settings = settingsOf(event.functionName, event.qualifier);
    // An event that will be too old by then is given up as soon as it is.
    const dueAt = Math.min(clock.now() + delayMs, Math.max(expiryOf(event, settings), clock.now()));
    store.putBackEvent(event, dueAt);
    this.#wakeAt(event.functionName, dueAt);
  }

  /** Sends the outcome first: an event that is sent twice is better than one that is lost. */
  async #end(event: AsyncEvent, outcome: AsyncOutcome): Promise<void> {
    if (outcome !== 'Success') this.#options.metric(event.functionName, 'AsyncEventsDropped', 1);
    await this.#options.send(event, outcome);
    this.#options.store.removeEvent(event.requestId);
  }
}

function expiryOf(event: AsyncEvent, { maximumEventAgeInSeconds }: AsyncSettings): number {
  return event.receivedAt + maximumEventAgeInSeconds * 1000;
}
