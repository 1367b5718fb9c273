import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { equalJitter } from '@millrace/retry';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { RoleCall } from '../../core/service.ts';
import { deadLetterOf, type ExhaustedCondition } from './dead-letter.ts';
import { type Invocation, retryPolicyOf, type Schedule, type Target, windowMs } from './schedule.ts';
import type { ScheduleStore } from './schedule-store.ts';
import { callOf, failureIn, payloadOf } from './target-call.ts';
import { dueNext, timeToRun } from './timing.ts';

export interface ScheduleRunnerOptions {
  region: string;
  accountId: string;
  clock: Clock;
  /** Calls a target with the permissions of a role; throws AwsError. */
  call: (call: RoleCall) => Promise<unknown>;
  queueUrlOf: (queueArn: string) => string;
  /** Reports a metric of a schedule group. */
  metric: (name: SchedulerMetric, groupName: string) => void;
  warn: (line: string) => void;
  /** A number from 0 to below 1. */
  random: () => number;
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html */
export const SCHEDULER_METRICS = [
  ...(['InvocationAttemptCount', 'TargetErrorCount', 'TargetErrorThrottledCount', 'InvocationDroppedCount'] as const),
  ...(['InvocationsSentToDeadLetterCount', 'InvocationsFailedToBeSentToDeadLetterCount'] as const),
] as const;
type SchedulerMetric = (typeof SCHEDULER_METRICS)[number];

/** https://docs.aws.amazon.com/general/latest/gr/api-retries.html */
const BACKOFF_MS = { firstBound: 1000, longestBound: 15 * 60_000 };
/** Of the machine's time: how long the end of the process waits for calls. */
const STOP_MS = 500;
/** How long schedules wait whose database cannot be written, for example because the disk is full. */
const UNWRITTEN_PAUSE_MS = 10_000;
const THROTTLING = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|LimitExceeded|ProvisionedThroughputExceeded/;

/**
 * Invokes targets when their schedules are due: at least once, each time of a schedule by itself. The invocation is stored before the
 * target is called and removed after it has answered, so a process that dies in between calls again.
 */
export class ScheduleRunner {
  readonly #store: ScheduleStore;
  readonly #options: ScheduleRunnerOptions;
  readonly #running = new Map<string, Promise<void>>();
  #timer: Timer | undefined;
  #isRunning = false;
  readonly #stopped = new AbortController();
  /** The store may be closed. */
  #isClosed = false;

  constructor(store: ScheduleStore, options: ScheduleRunnerOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Runs what has become due since the last stop, and everything from now on. */
  start(): void {
    this.#isRunning = true;
    this.wake();
  }

  /** Runs what is due, and waits for the next. To be called whenever what is due may have changed. */
  wake(): void {
    if (!this.#isRunning) return;
    try {
      this.#startDue();
    } catch (error) {
      this.#warnUnwritten(error as Error);
      const { clock } = this.#options;
      this.#timer = clock.setTimer(clock.now() + UNWRITTEN_PAUSE_MS, () => this.wake());
    }
  }

  #startDue(): void {
    this.#timer?.cancel();
    const now = this.#options.clock.now();
    this.#store.transaction(() => {
      for (const { schedule, dueAt } of this.#store.dueSchedules(now)) this.#due(schedule, dueAt, now);
    });
    for (const invocation of this.#store.dueInvocations(now)) this.#start(invocation);
    const next = this.#store.nextDue(now);
    if (next !== undefined) this.#timer = this.#options.clock.setTimer(next, () => this.wake());
  }

  /** Starts nothing more, and waits a moment for the calls under way. What is left is done after the next start. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#stopped.abort();
    this.#timer?.cancel();
    const enough = new AbortController();
    const waited = delay(STOP_MS, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#running.values()), waited]);
    enough.abort();
    this.#isClosed = true;
  }

  #due(schedule: Schedule, dueAt: number, now: number): void {
    const scheduledAt = timeToRun(schedule, dueAt, now);
    const ran: Schedule = { ...schedule, lastDue: scheduledAt ?? dueAt };
    this.#store.saveSchedule(ran, dueNext(ran, now));
    if (scheduledAt === undefined) {
      this.#options.warn(
        `The schedule ${schedule.name} was due at ${new Date(dueAt).toISOString()}, which is too long ago.`,
      );
      this.#options.metric('InvocationDroppedCount', schedule.groupName);
      this.#finish(schedule.groupName, schedule.name);
      return;
    }
    const windowEnd = scheduledAt + windowMs(schedule);
    const earliest = Math.max(scheduledAt, now);
    const firstAttemptAt = Math.floor(earliest + this.#options.random() * Math.max(0, windowEnd - earliest));
    const { arn: scheduleArn, groupName, name, target } = schedule;
    const id = randomUUID();
    this.#store.saveInvocation(
      { id, scheduleArn, groupName, name, target, scheduledAt, firstAttemptAt, failedAttempts: 0 },
      firstAttemptAt,
    );
  }

  #start(invocation: Invocation): void {
    const { id } = invocation;
    if (this.#running.has(id)) return;
    // Not before it is known to be running: the call may come back here, e.g. to create another schedule.
    const running = Promise.resolve()
      .then(() => this.#attempt(invocation))
      // Its outcome is not recorded: the target is called again, as after the end of the process.
      .catch((error: Error) => this.#pause(error))
      .finally(() => {
        this.#running.delete(id);
        this.wake();
      });
    this.#running.set(id, running);
  }

  async #pause(error: Error): Promise<void> {
    this.#warnUnwritten(error);
    await this.#options.clock.sleep(UNWRITTEN_PAUSE_MS, this.#stopped.signal).catch(() => undefined);
  }

  #warnUnwritten({ message }: Error): void {
    const seconds = UNWRITTEN_PAUSE_MS / 1000;
    this.#options.warn(`Schedules wait ${seconds} seconds, as their database cannot be used: ${message}`);
  }

  async #attempt(invocation: Invocation): Promise<void> {
    const { region, accountId, metric } = this.#options;
    const { scheduleArn, target, scheduledAt, failedAttempts, groupName } = invocation;
    const executionId = randomBytes(8).toString('hex');
    const number = failedAttempts + 1;
    const payload = payloadOf(target, { scheduleArn, accountId, region, scheduledAt, executionId, number });
    metric('InvocationAttemptCount', groupName);
    const error = await this.#call(invocation, payload);
    // Too late to write it down, or the schedule was deleted meanwhile.
    if (this.#isClosed || !this.#store.hasInvocation(invocation.id)) return;
    if (!error) {
      this.#end(invocation);
      return;
    }
    metric(THROTTLING.test(error.code) ? 'TargetErrorThrottledCount' : 'TargetErrorCount', groupName);
    const retry = this.#nextAttempt(invocation, error);
    if (retry.at !== undefined) {
      this.#store.saveInvocation({ ...invocation, failedAttempts: number }, retry.at);
      return;
    }
    await this.#giveUp(invocation, { payload, executionId, error, condition: retry.condition });
    if (!this.#isClosed) this.#end(invocation);
  }

  async #call({ target, scheduleArn }: Invocation, payload: string): Promise<AwsError | undefined> {
    const { call, queueUrlOf } = this.#options;
    try {
      const request = callOf(target, payload, queueUrlOf);
      return failureIn(await call({ ...request, ...roleOf(target, scheduleArn) }));
    } catch (error) {
      return asAwsError(error);
    }
  }

  /** When the next attempt is due, or why there is none. Permanent errors are not tried again. */
  #nextAttempt(
    { target, firstAttemptAt, failedAttempts }: Invocation,
    error: AwsError,
  ): { at?: number; condition?: ExhaustedCondition } {
    if (error.status < 500 && error.status !== 429 && !THROTTLING.test(error.code)) return {};
    const { MaximumEventAgeInSeconds, MaximumRetryAttempts } = retryPolicyOf(target);
    if (failedAttempts >= MaximumRetryAttempts) return { condition: 'MaximumRetryAttempts' };
    const { clock, random } = this.#options;
    const at = Math.ceil(clock.now() + equalJitter(failedAttempts + 1, { random, ...BACKOFF_MS }));
    if (at > firstAttemptAt + MaximumEventAgeInSeconds * 1000) return { condition: 'MaximumEventAgeInSeconds' };
    return { at };
  }

  async #giveUp(invocation: Invocation, failure: Parameters<typeof deadLetterOf>[1]): Promise<void> {
    const { call, queueUrlOf, metric, warn } = this.#options;
    const { target, scheduleArn, groupName, name } = invocation;
    const { code, message } = failure.error;
    warn(`The schedule ${name} could not invoke ${target.Arn}: ${code}: ${message}`);
    const queueArn = target.DeadLetterConfig?.Arn;
    if (queueArn === undefined) {
      metric('InvocationDroppedCount', groupName);
      return;
    }
    try {
      const input = { QueueUrl: queueUrlOf(queueArn), ...deadLetterOf(invocation, failure) };
      await call({ service: 'sqs', operation: 'SendMessage', input, ...roleOf(target, scheduleArn) });
      metric('InvocationsSentToDeadLetterCount', groupName);
    } catch (error) {
      const { code, message } = asAwsError(error);
      metric('InvocationsFailedToBeSentToDeadLetterCount', groupName);
      warn(`The schedule ${name} could not send a dead letter to ${queueArn}: ${code}: ${message}`);
    }
  }

  #end({ id, groupName, name }: Invocation): void {
    this.#store.transaction(() => {
      this.#store.deleteInvocation(id);
      this.#finish(groupName, name);
    });
  }

  /** Deletes a schedule that is over and asks for it. https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-delete.html */
  #finish(groupName: string, name: string): void {
    const schedule = this.#store.schedule(groupName, name);
    if (schedule?.actionAfterCompletion !== 'DELETE' || schedule.state === 'DISABLED') return;
    if (this.#store.dueAt(groupName, name) !== undefined || this.#store.hasInvocationsOf(groupName, name)) return;
    this.#store.deleteSchedule(groupName, name);
  }
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html */
function roleOf({ RoleArn }: Target, scheduleArn: string): Omit<RoleCall, 'service' | 'operation' | 'input'> {
  const groupArn = scheduleArn.slice(0, scheduleArn.lastIndexOf('/')).replace(':schedule/', ':schedule-group/');
  return { roleArn: RoleArn, sourceArn: scheduleArn, trustedSourceArn: groupArn };
}

/** What is not an answer of a service is EventBridge Scheduler's own fault. */
function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const message = 'Unexpected error occurred while processing the request.';
  return new AwsError('AWS.Scheduler.InternalServerError', message, 500);
}
