import { isDeepStrictEqual } from 'node:util';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { pageOf } from '../../core/page.ts';
import { parseSchedulerExpression } from '../../core/schedules/schedule-expression.ts';
import { TimeZone } from '../../core/schedules/time-zone.ts';
import { checkInput, coerce, millisecondsOf } from '../../core/shapes.ts';
import { ClientTokens } from './client-tokens.ts';
import { DEFAULT_GROUP, retryPolicyOf, type Schedule, type Target } from './schedule.ts';
import type { ScheduleStore } from './schedule-store.ts';
import * as shapes from './shapes.ts';
import { checkTarget } from './target-call.ts';
import { dueNext } from './timing.ts';

export interface SchedulesOptions {
  region: string;
  accountId: string;
  clock: Clock;
  /** Whether EventBridge Scheduler may assume a role for the schedules of a group. */
  mayAssume: (roleArn: string, groupArn: string) => boolean;
  /** Called after what is due may have changed. */
  onChange: () => void;
}

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html */
const OLDEST_START_MS = 5 * 60_000;

/** The operations on schedules. */
export class Schedules {
  readonly #store: ScheduleStore;
  readonly #options: SchedulesOptions;
  readonly #tokens: ClientTokens;

  constructor(store: ScheduleStore, options: SchedulesOptions) {
    this.#store = store;
    this.#options = options;
    this.#tokens = new ClientTokens(options.clock);
  }

  create(input: Input): { ScheduleArn: string } {
    checkInput(shapes.schedule, input);
    return this.#tokens.once('CreateSchedule', input, () => {
      const { groupName, name } = this.#nameOf(input);
      this.#requireGroup(groupName);
      if (this.#store.schedule(groupName, name)) {
        throw new AwsError('ConflictException', `Schedule ${name} already exists.`, 409);
      }
      return { ScheduleArn: this.#save(this.#read(input, undefined, false)).arn };
    });
  }

  /** Values that are left out go back to their defaults. */
  update(input: Input): { ScheduleArn: string } {
    checkInput(shapes.schedule, input);
    return this.#tokens.once('UpdateSchedule', input, () => {
      const known = this.#require(input);
      return { ScheduleArn: this.#save(this.#read(input, known, known.isDeclared)).arn };
    });
  }

  get(input: Input): object {
    checkInput(shapes.scheduleName, input);
    const schedule = this.#require(input);
    return {
      ...summary(schedule),
      ActionAfterCompletion: schedule.actionAfterCompletion,
      Description: schedule.description,
      EndDate: dateOf(schedule.endDate),
      FlexibleTimeWindow: schedule.flexibleTimeWindow,
      KmsKeyArn: schedule.kmsKeyArn,
      ScheduleExpression: schedule.expression,
      ScheduleExpressionTimezone: schedule.timeZone,
      StartDate: dateOf(schedule.startDate),
      Target: { ...schedule.target, RetryPolicy: retryPolicyOf(schedule.target) },
    };
  }

  delete(input: Input): object {
    checkInput(shapes.scheduleName, input);
    return this.#tokens.once('DeleteSchedule', input, () => {
      const { groupName, name } = this.#require(input);
      this.#store.transaction(() => this.#store.deleteSchedule(groupName, name));
      this.#options.onChange();
      return {};
    });
  }

  list(input: Input): object {
    checkInput(shapes.listSchedules, input);
    const { GroupName, NamePrefix = '', State } = input;
    if (GroupName !== undefined) this.#requireGroup(String(GroupName));
    const found = this.#store
      .schedules()
      .filter(({ groupName }) => GroupName === undefined || groupName === GroupName)
      .filter(({ name }) => name.startsWith(String(NamePrefix)))
      .filter(({ state }) => State === undefined || state === State);
    const { page, ...next } = pageOf(found, ({ groupName, name }) => `${groupName}/${name}`, input);
    return {
      Schedules: page.map((schedule) => ({ ...summary(schedule), Target: { Arn: schedule.target.Arn } })),
      ...next,
    };
  }

  /**
   * Brings a schedule to what a template declares. One that has not changed goes on where it was.
   * @throws AwsError as `create`
   */
  declare(properties: Input): void {
    const input = coerce(shapes.schedule, properties) as Input;
    checkInput(shapes.schedule, input);
    const { groupName, name } = this.#nameOf(input);
    this.#requireGroup(groupName);
    const known = this.#store.schedule(groupName, name);
    const schedule = this.#read(input, known, true);
    if (isDeepStrictEqual({ ...schedule, modifiedAt: known?.modifiedAt }, known)) return;
    this.#save(schedule);
  }

  #save(schedule: Schedule): Schedule {
    this.#store.transaction(() => this.#store.saveSchedule(schedule, dueNext(schedule, this.#options.clock.now())));
    this.#options.onChange();
    return schedule;
  }

  #nameOf({ GroupName = DEFAULT_GROUP, Name }: Input): { groupName: string; name: string } {
    return { groupName: String(GroupName), name: String(Name) };
  }

  #requireGroup(name: string): void {
    if (this.#store.group(name)) return;
    throw new AwsError('ResourceNotFoundException', `Schedule group ${name} does not exist.`, 404);
  }

  #require(input: Input): Schedule {
    const { groupName, name } = this.#nameOf(input);
    const schedule = this.#store.schedule(groupName, name);
    if (!schedule) throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
    return schedule;
  }

  /** @throws AwsError ValidationException for what the constraints of the members do not say */
  #read(input: Input, known: Schedule | undefined, isDeclared: boolean): Schedule {
    const { groupName, name } = this.#nameOf(input);
    const { region, accountId, clock, mayAssume } = this.#options;
    const now = clock.now();
    const target = input.Target as Target;
    const expression = String(input.ScheduleExpression);
    const timeZone = String(input.ScheduleExpressionTimezone ?? 'UTC');
    const startDate = millisecondsOf(input.StartDate);
    const endDate = millisecondsOf(input.EndDate);
    const flexibleTimeWindow = input.FlexibleTimeWindow as Schedule['flexibleTimeWindow'];
    const kind = checkExpression(expression, timeZone);
    if (
      kind !== 'at' &&
      startDate !== known?.startDate &&
      startDate !== undefined &&
      startDate < now - OLDEST_START_MS
    ) {
      throw invalid('The StartDate you specify cannot be earlier than 5 minutes ago.');
    }
    if (kind !== 'at' && startDate !== undefined && endDate !== undefined && endDate <= startDate) {
      throw invalid('The EndDate you specify must come after the StartDate.');
    }
    if (flexibleTimeWindow.Mode === 'FLEXIBLE' && flexibleTimeWindow.MaximumWindowInMinutes === undefined) {
      throw invalid('A flexible time window must have MaximumWindowInMinutes.');
    }
    checkTarget(target);
    const prefix = `arn:aws:scheduler:${region}:${accountId}`;
    if (!mayAssume(target.RoleArn, `${prefix}:schedule-group/${groupName}`)) {
      throw invalid('The execution role you provide must allow AWS EventBridge Scheduler to assume the role.');
    }
    const isSameTimes =
      known?.expression === expression && known.timeZone === timeZone && known.startDate === startDate;
    return {
      arn: `${prefix}:schedule/${groupName}/${name}`,
      groupName,
      name,
      expression,
      timeZone,
      ...optional('description', input.Description as string | undefined),
      ...optional('startDate', startDate),
      ...optional('endDate', endDate),
      state: (input.State as Schedule['state'] | undefined) ?? 'ENABLED',
      flexibleTimeWindow,
      target,
      actionAfterCompletion: (input.ActionAfterCompletion as Schedule['actionAfterCompletion'] | undefined) ?? 'NONE',
      ...optional('kmsKeyArn', input.KmsKeyArn as string | undefined),
      createdAt: known?.createdAt ?? now,
      modifiedAt: now,
      origin: isSameTimes ? known.origin : now,
      ...optional('lastDue', known?.lastDue),
      isDeclared,
    };
  }
}

function checkExpression(expression: string, timeZone: string): 'at' | 'rate' | 'cron' {
  let zone: TimeZone;
  try {
    zone = new TimeZone(timeZone);
  } catch {
    throw invalid(`Invalid Schedule Expression Timezone ${timeZone}.`);
  }
  try {
    return parseSchedulerExpression(expression, zone).kind;
  } catch {
    throw invalid(`Invalid Schedule Expression ${expression}.`);
  }
}

function summary({ arn, createdAt, groupName, modifiedAt, name, state }: Schedule): object {
  return {
    Arn: arn,
    CreationDate: dateOf(createdAt),
    GroupName: groupName,
    LastModificationDate: dateOf(modifiedAt),
    Name: name,
    State: state,
  };
}

export function dateOf(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
