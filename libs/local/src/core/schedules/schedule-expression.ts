import { Cron } from './cron.ts';
import { TimeZone } from './time-zone.ts';

/** When something runs. */
export interface Schedule {
  /** `at` runs once. */
  readonly kind: 'at' | 'rate' | 'cron';
  /**
   * The first time after an instant.
   * @param origin of a rate its first time; `at` and `cron` do not use it
   * @returns milliseconds since the epoch; undefined when there is none
   */
  next(after: number, origin: number): number | undefined;
}

const UTC = new TimeZone('UTC');
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads a schedule expression of EventBridge Scheduler: `at(2026-12-24T18:00:00)`, `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`. The
 * time zone applies to `at` and `cron`; a day of a rate has 24 hours.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 *
 * @throws Error that says what is wrong
 * @example
 * const schedule = parseSchedulerExpression('cron(30 8 L * ? *)', new TimeZone('Europe/Berlin'));
 * schedule.next(Date.now(), 0);
 */
export function parseSchedulerExpression(text: string, zone: TimeZone = UTC): Schedule {
  const [, kind, content = ''] = /^(at|rate|cron)\((.*)\)$/.exec(text) ?? [];
  switch (kind) {
    case 'at':
      return at(content, zone);
    case 'rate':
      return rate(content, false);
    case 'cron':
      return cron(content, zone);
    default:
      throw new Error(`"${text}" is not a schedule: use at(…), rate(…) or cron(…)`);
  }
}

/**
 * Reads the ScheduleExpression of an EventBridge rule: `rate(…)` and `cron(…)`, in UTC. The unit agrees with the number: `rate(1
 * minutes)` is refused.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 *
 * @throws Error that says what is wrong
 */
export function parseRuleSchedule(text: string): Schedule {
  const [, kind, content = ''] = /^(rate|cron)\((.*)\)$/.exec(text) ?? [];
  switch (kind) {
    case 'rate':
      return rate(content, true);
    case 'cron':
      return cron(content, UTC);
    default:
      throw new Error(`"${text}" is not a schedule of a rule: use rate(…) or cron(…)`);
  }
}

function at(content: string, zone: TimeZone): Schedule {
  const wallTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(content) ? Date.parse(`${content}Z`) : Number.NaN;
  // Date.parse takes 2026-02-30 for 2 March.
  if (Number.isNaN(wallTime) || !new Date(wallTime).toISOString().startsWith(content)) {
    throw new Error(`"${content}" is not a date and time: write yyyy-mm-ddThh:mm:ss, without an offset`);
  }
  const time = zone.instantOf(wallTime);
  return { kind: 'at', next: (after) => (time !== undefined && time > after ? time : undefined) };
}

function rate(content: string, unitAgrees: boolean): Schedule {
  const [, digits = '', unit = '', plural] = /^([1-9]\d*) (minute|hour|day)(s?)$/.exec(content) ?? [];
  const value = Number(digits);
  if (digits === '' || (unitAgrees && (value === 1) !== (plural === ''))) {
    throw new Error(`"${content}" is not a rate: write e.g. 1 minute, 5 minutes, 2 hours or 1 day`);
  }
  const every = value * UNIT_MS[unit as keyof typeof UNIT_MS];
  return {
    kind: 'rate',
    next: (after, origin) => (after < origin ? origin : origin + (Math.floor((after - origin) / every) + 1) * every),
  };
}

function cron(content: string, zone: TimeZone): Schedule {
  const fields = new Cron(content);
  return { kind: 'cron', next: (after) => fields.next(after, zone) };
}
