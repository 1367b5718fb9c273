/** The values that a field has, in ascending order. */
export type Values = readonly number[];

interface FieldKind {
  name: string;
  minimum: number;
  maximum: number;
  names?: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const minutes: FieldKind = { name: 'Minutes', minimum: 0, maximum: 59 };
const hours: FieldKind = { name: 'Hours', minimum: 0, maximum: 23 };
const daysOfMonth: FieldKind = { name: 'Day-of-month', minimum: 1, maximum: 31 };
const months: FieldKind = { name: 'Month', minimum: 1, maximum: 12, names: MONTHS };
const daysOfWeek: FieldKind = { name: 'Day-of-week', minimum: 1, maximum: 7, names: DAYS };
const years: FieldKind = { name: 'Year', minimum: 1970, maximum: 2199 };

/** Which days of a month: by their date or by their weekday (1 is Sunday). */
export type DayRule =
  | { by: 'date'; days: Values }
  /** `L`, `L-3`; with `nearestWeekday` `LW`. */
  | { by: 'end'; before: number; nearestWeekday: boolean }
  /** `15W` */
  | { by: 'nearest-weekday'; day: number }
  | { by: 'weekday'; weekdays: Values }
  /** `6L` */
  | { by: 'last-weekday'; weekday: number }
  /** `6#3` */
  | { by: 'nth-weekday'; weekday: number; nth: number };

export interface CronFields {
  minutes: Values;
  hours: Values;
  months: Values;
  years: Values;
  days: DayRule;
}

/**
 * Reads the six fields of AWS's cron: minutes, hours, day of the month, month, day of the week, year.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 *
 * @throws Error that says which field is wrong
 */
export function parseCronFields(text: string): CronFields {
  const fields = text.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields;
  if (
    fields.length !== 6 ||
    minute === undefined ||
    hour === undefined ||
    dayOfMonth === undefined ||
    month === undefined ||
    dayOfWeek === undefined ||
    year === undefined
  ) {
    throw new Error(`a cron expression has 6 fields, not ${text.trim() === '' ? 0 : fields.length}`);
  }
  return {
    minutes: parseValues(minutes, minute),
    hours: parseValues(hours, hour),
    days: parseDays(dayOfMonth, dayOfWeek),
    months: parseValues(months, month),
    years: parseValues(years, year),
  };
}

function parseDays(dayOfMonth: string, dayOfWeek: string): DayRule {
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error('exactly one of Day-of-month and Day-of-week must be ?');
  }
  return dayOfWeek === '?' ? parseDayOfMonth(dayOfMonth) : parseDayOfWeek(dayOfWeek.toUpperCase());
}

function parseDayOfMonth(text: string): DayRule {
  if (text === 'LW') return { by: 'end', before: 0, nearestWeekday: true };
  const [, before] = /^L(?:-(\d{1,2}))?$/.exec(text) ?? [];
  if (text.startsWith('L')) {
    if (text !== 'L' && !(Number(before) >= 1 && Number(before) <= 30)) throw invalid(daysOfMonth, text);
    return { by: 'end', before: Number(before ?? 0), nearestWeekday: false };
  }
  if (text.endsWith('W')) {
    return { by: 'nearest-weekday', day: parseValue(daysOfMonth, text.slice(0, -1), text) };
  }
  return { by: 'date', days: parseValues(daysOfMonth, text) };
}

function parseDayOfWeek(text: string): DayRule {
  // The last day of the week.
  if (text === 'L') return { by: 'weekday', weekdays: [daysOfWeek.maximum] };
  if (/^(\d|[A-Z]{3})L$/.test(text)) {
    return { by: 'last-weekday', weekday: parseValue(daysOfWeek, text.slice(0, -1), text) };
  }
  const [, weekday, nth] = /^(\d|[A-Z]{3})#([1-5])$/.exec(text) ?? [];
  if (weekday !== undefined) {
    return { by: 'nth-weekday', weekday: parseValue(daysOfWeek, weekday, text), nth: Number(nth) };
  }
  return { by: 'weekday', weekdays: parseValues(daysOfWeek, text) };
}

/** A list of values, ranges and steps. */
function parseValues(kind: FieldKind, text: string): Values {
  const values = text.split(',').flatMap((part) => parsePart(kind, part));
  return [...new Set(values)].sort((one, other) => one - other);
}

function parsePart(kind: FieldKind, part: string): number[] {
  const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  const every = step === undefined ? 1 : Number(step);
  if (range === '' || every < 1) throw invalid(kind, part);
  const [from, to] = parseRange(kind, range, step !== undefined, part);
  // A range may go over the end: 20-2 are the hours from 20 to 2, the next day.
  const size = kind.maximum - kind.minimum + 1;
  const end = to < from ? to + size : to;
  return Array.from({ length: Math.floor((end - from) / every) + 1 }, (_, index) => {
    const value = from + index * every;
    return value > kind.maximum ? value - size : value;
  });
}

function parseRange(kind: FieldKind, range: string, hasStep: boolean, part: string): [from: number, to: number] {
  if (range === '*') return [kind.minimum, kind.maximum];
  const [from = '', to, ...rest] = range.split('-');
  if (rest.length > 0) throw invalid(kind, part);
  const first = parseValue(kind, from, part);
  if (to !== undefined) return [first, parseValue(kind, to, part)];
  // 5/10 is every tenth from 5 on.
  return [first, hasStep ? kind.maximum : first];
}

function parseValue(kind: FieldKind, text: string, part: string): number {
  const named = kind.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + kind.minimum;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= kind.minimum && value <= kind.maximum)) throw invalid(kind, part);
  return value;
}

function invalid({ name, minimum, maximum }: FieldKind, part: string): Error {
  return new Error(`${name} cannot be "${part}": use ${minimum} to ${maximum}`);
}
