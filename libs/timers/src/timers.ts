import { CreateScheduleCommand, DeleteScheduleCommand, type Scheduler, scheduler } from '@millrace/aws';
import { UnavailableError, variableFrom } from '@millrace/errors';
import type { EmittableEvent } from '@millrace/events';
import { schedulerLimits } from '@millrace/events/aws-limits';

/** Has events emitted later. */
export interface Timers {
  /**
   * Has an event emitted once, at a time or soon after it; at once, when the time has passed. A timer of the same name that is
   * there already stays as it is.
   * @throws UnavailableError while the account has as many timers as it may have
   * @param name up to 64 letters, digits, dashes, underscores and dots
   */
  set(name: string, at: Date, event: EmittableEvent): Promise<void>;
  /** Takes a timer back. Does nothing when it is not there. */
  cancel(name: string): Promise<void>;
}

/** The group of the schedules, and what they need to put their event on the bus. */
export interface ScheduleSettings {
  groupName: string;
  /** Assumed by EventBridge Scheduler to put the event. */
  roleArn: string;
  busArn: string;
  deadLetterArn: string;
}

/** Between creating a schedule and its time, at least: one in the past might never run. */
const LEAD_MS = 10_000;

/**
 * The account has as many schedules as it may have, or creates them too fast. Each that runs or is deleted makes room.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
 */
class TimersExhaustedError extends UnavailableError {
  constructor(options: ErrorOptions) {
    super('TIMERS_EXHAUSTED', 'EventBridge Scheduler takes no more schedules for now: its quota is exceeded', options);
  }
}

/** Timers that are one-off schedules of EventBridge Scheduler. They delete themselves once they have run. */
export class SchedulerTimers implements Timers {
  readonly #settings: ScheduleSettings;
  readonly #client: Scheduler;
  readonly #now: () => number;

  constructor(
    settings: ScheduleSettings,
    { client = scheduler(), now = Date.now }: { client?: Scheduler; now?: () => number } = {},
  ) {
    this.#settings = settings;
    this.#client = client;
    this.#now = now;
  }

  async set(name: string, at: Date, { source, detailType, detail }: EmittableEvent): Promise<void> {
    const { groupName, roleArn, busArn, deadLetterArn } = this.#settings;
    const command = new CreateScheduleCommand({
      Name: name,
      GroupName: groupName,
      ScheduleExpression: expressionOf(Math.max(at.getTime(), this.#now() + LEAD_MS)),
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: {
        Arn: busArn,
        RoleArn: roleArn,
        EventBridgeParameters: { Source: source, DetailType: detailType },
        Input: detail,
        RetryPolicy: {
          MaximumEventAgeInSeconds: schedulerLimits.retryAge,
          MaximumRetryAttempts: schedulerLimits.retryAttempts,
        },
        DeadLetterConfig: { Arn: deadLetterArn },
      },
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      if (isNamed(error, 'ServiceQuotaExceededException')) throw new TimersExhaustedError({ cause: error });
      if (!isNamed(error, 'ConflictException')) throw error;
    }
  }

  async cancel(name: string): Promise<void> {
    try {
      await this.#client.send(new DeleteScheduleCommand({ Name: name, GroupName: this.#settings.groupName }));
    } catch (error) {
      if (!isNamed(error, 'ResourceNotFoundException')) throw error;
    }
  }
}

/** The timers of a function that `schedules` events. @throws ConfigurationError when one of its variables is not set */
export function timersFromEnvironment(): Timers {
  return new SchedulerTimers({
    groupName: variableFrom('MILLRACE_SCHEDULE_GROUP', 'the name of a schedule group'),
    roleArn: variableFrom('MILLRACE_SCHEDULE_ROLE_ARN', 'the ARN of a role'),
    busArn: variableFrom('MILLRACE_SCHEDULE_BUS_ARN', 'the ARN of an event bus'),
    deadLetterArn: variableFrom('MILLRACE_SCHEDULE_DLQ_ARN', 'the ARN of a queue'),
  });
}

/** True for the error of AWS with this name. */
function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

/** A schedule has whole seconds, and must not be early. */
function expressionOf(at: number): string {
  return `at(${new Date(Math.ceil(at / 1000) * 1000).toISOString().slice(0, 19)})`;
}
