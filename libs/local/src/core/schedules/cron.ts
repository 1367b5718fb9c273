import { type CronFields, type DayRule, parseCronFields } from './cron-fields.ts';
import type { TimeZone } from './time-zone.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Clocks are set back by an hour, as a rule. */
const FURTHEST_SET_BACK_MS = 3 * HOUR_MS;
const SATURDAY = 7;
const SUNDAY = 1;

/** A cron expression of AWS: six fields, with `L`, `W`, `#` and `?`. */
export class Cron {
  readonly #fields: CronFields;

  /**
   * @param fields what is between the parentheses of `cron(…)`
   * @throws Error that says what is wrong
   */
  constructor(fields: string) {
    this.#fields = parseCronFields(fields);
  }

  /**
   * The first time after an instant. A time that clocks skip in spring is left out; one that they show twice in autumn counts once.
   * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
   *
   * @returns milliseconds since the epoch; undefined when there is none
   */
  next(after: number, zone: TimeZone): number | undefined {
    // Clocks that were just set back show times again that have been: begin before them.
    const from = zone.wallTimeOf(after) - FURTHEST_SET_BACK_MS;
    for (const wallTime of this.#wallTimes(from)) {
      const instant = zone.instantOf(wallTime);
      if (instant !== undefined && instant > after) return instant;
    }
    return undefined;
  }

  /** The wall times from one on, in order. */
  *#wallTimes(from: number): Generator<number> {
    const first = new Date(from);
    const { years, months, hours, minutes, days } = this.#fields;
    for (const year of years) {
      if (year < first.getUTCFullYear()) continue;
      for (const month of months) {
        if (year === first.getUTCFullYear() && month < first.getUTCMonth() + 1) continue;
        for (const day of daysOf(days, year, month)) {
          const midnight = Date.UTC(year, month - 1, day);
          if (midnight + DAY_MS <= from) continue;
          for (const hour of hours) {
            for (const minute of minutes) {
              const wallTime = midnight + hour * HOUR_MS + minute * MINUTE_MS;
              if (wallTime >= from) yield wallTime;
            }
          }
        }
      }
    }
  }
}

/** The days of a month that a rule takes, in order. */
function daysOf(rule: DayRule, year: number, month: number): number[] {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weekdayOf = (day: number): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
  const all = Array.from({ length: last }, (_, index) => index + 1);
  switch (rule.by) {
    case 'date':
      return rule.days.filter((day) => day <= last);
    case 'end': {
      const day = last - rule.before;
      if (day < 1) return [];
      return [rule.nearestWeekday ? nearestWeekday(day, last, weekdayOf) : day];
    }
    case 'nearest-weekday':
      return rule.day <= last ? [nearestWeekday(rule.day, last, weekdayOf)] : [];
    case 'weekday':
      return all.filter((day) => rule.weekdays.includes(weekdayOf(day)));
    case 'last-weekday':
      return all.filter((day) => weekdayOf(day) === rule.weekday).slice(-1);
    case 'nth-weekday':
      return all.filter((day) => weekdayOf(day) === rule.weekday).slice(rule.nth - 1, rule.nth);
  }
}

/** The weekday nearest to a day, within its month. */
function nearestWeekday(day: number, last: number, weekdayOf: (day: number) => number): number {
  switch (weekdayOf(day)) {
    case SATURDAY:
      return day === 1 ? day + 2 : day - 1;
    case SUNDAY:
      return day === last ? day - 2 : day + 1;
    default:
      return day;
  }
}
