import { parseDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError unless it is a stage's name */
export function readStage(value: string): string {
  if (/^[a-z][a-z0-9]*$/.test(value)) return value;
  throw new UsageError(`--stage must be lower-case letters and digits, not "${value}"`);
}

/** @throws UsageError unless it is absent or a URL of http or https */
export function readEndpoint(value: string | undefined, flag = 'endpoint'): string | undefined {
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new UsageError(`--${flag} must be a URL like http://127.0.0.1:4566, not "${value}"`);
  }
  return new URL(value).origin;
}

/** @throws UsageError unless it is absent or a number that satisfies `minimum` and, for a whole number, has no fraction */
export function readNumber(
  flag: string,
  value: string | undefined,
  { minimum, whole = false }: { minimum: number; whole?: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number >= minimum && (!whole || Number.isSafeInteger(number))) return number;
  throw new UsageError(`--${flag} must be a ${whole ? 'whole ' : ''}number of at least ${minimum}, not "${value}"`);
}

/**
 * Reads `2026-01-31T12:00:00Z`, or `2h` for two hours ago.
 * @throws UsageError for anything else
 */
export function readTime(flag: string, text: string, now: Date): Date {
  if (/^\d+(\.\d+)?[smhd]$/.test(text)) return new Date(now.getTime() - parseDuration(text));
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new UsageError(`--${flag} must be a time like 2026-01-31T12:00:00Z, or 2h for two hours ago, not "${text}"`);
}
