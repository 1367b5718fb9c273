const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)$/;

/** A point in time to the nanosecond. */
export interface Instant {
  /** Milliseconds since the epoch. */
  readonly milliseconds: number;
  /** Below a millisecond. */
  readonly nanoseconds: number;
}

/** Reads a timestamp in the profile of ISO 8601 that the States Language has; undefined for any other text. */
export function parseTimestamp(text: string): Instant | undefined {
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = pattern.exec(text) ?? [];
  if (year === undefined) return undefined;
  const digits = fraction.padEnd(9, '0');
  // Date.parse takes the 30th of February for the 1st of March.
  const isDay = new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDate() === Number(day);
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${digits.slice(0, 3)}${zone}`);
  if (!isDay || hour === '24' || Number.isNaN(milliseconds)) return undefined;
  return { milliseconds, nanoseconds: Number(digits.slice(3)) };
}

/** @returns negative, 0 or positive */
export function compareInstants(one: Instant, other: Instant): number {
  return one.milliseconds - other.milliseconds || one.nanoseconds - other.nanoseconds;
}
