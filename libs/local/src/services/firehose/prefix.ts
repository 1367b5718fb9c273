import { randomBytes } from 'node:crypto';
import { invalidArgument } from './errors.ts';

/** What the expressions of a prefix can use. */
export interface PrefixValues {
  /** When the oldest record of the object came, in milliseconds since the epoch. */
  time: number;
  fromQuery: Readonly<Record<string, string>>;
  fromLambda: Readonly<Record<string, string>>;
  errorOutputType?: string;
}

export type Prefix = (values: PrefixValues) => string;

const EXPRESSION = /!\{([A-Za-z]+):([^}]*)\}/g;
const DEFAULT_TIME = '!{timestamp:yyyy/MM/dd/HH/}';
/** https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html */
const RANDOM_LENGTH = 11;
const UTC = 'UTC';

/**
 * Compiles the prefix of a destination, or its error prefix.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 *
 * @throws AwsError InvalidArgumentException for an expression that is not valid there
 */
export function compilePrefix(
  prefix: string,
  { isError, timeZone = UTC }: { isError: boolean; timeZone?: string },
): Prefix {
  // What has an expression of time says itself where it is; any other prefix gets the default behind it.
  const isTimed = [...prefix.matchAll(EXPRESSION)].some(([, namespace]) => namespace === 'timestamp');
  const isPartitioned = /!\{partitionKeyFrom/.test(prefix);
  const template = isTimed || isPartitioned ? prefix : `${prefix}${DEFAULT_TIME}`;
  const rest = template.replace(EXPRESSION, '');
  if (rest.includes('!{')) throw invalidArgument(`The prefix ${prefix} has an expression that is not closed`);
  for (const [expression, namespace, value] of template.matchAll(EXPRESSION))
    check(expression, namespace, value, isError);
  return (values) =>
    template.replace(EXPRESSION, (_expression, namespace: string, value: string) =>
      evaluate(namespace, value, values, timeZone),
    );
}

/** True if a prefix has an expression of these namespaces. */
export function usesNamespace(prefix: string, ...namespaces: readonly string[]): boolean {
  return [...prefix.matchAll(EXPRESSION)].some(([, namespace = '']) => namespaces.includes(namespace));
}

/**
 * The time in an object's name.
 * @example formatTime(0, 'yyyy-MM-dd', 'UTC') // '1970-01-01'
 */
export function formatTime(time: number, pattern: string, timeZone = UTC): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    },
    hourCycle: 'h23',
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((each) => each.type === type)?.value ?? '';
  const fields: Readonly<Record<string, string>> = {
    ...{ yyyy: part('year'), YYYY: part('year'), MM: part('month'), dd: part('day') },
    ...{ HH: part('hour'), mm: part('minute'), ss: part('second') },
  };
  return pattern.replace(
    /'([^']*)'|yyyy|YYYY|MM|dd|HH|mm|ss/g,
    (token, quoted: string | undefined) => quoted ?? fields[token] ?? '',
  );
}

function check(expression: string, namespace = '', value = '', isError: boolean): void {
  const isValid: Readonly<Record<string, () => boolean>> = {
    timestamp: () => !/[A-Za-z]/.test(value.replace(/'[^']*'|yyyy|YYYY|MM|dd|HH|mm|ss/g, '')),
    firehose: () => value === 'random-string' || (isError && value === 'error-output-type'),
    partitionKeyFromQuery: () => !isError && value !== '',
    partitionKeyFromLambda: () => !isError && value !== '',
  };
  if (isValid[namespace]?.() !== true) {
    throw invalidArgument(
      `${expression} is not valid in ${isError ? 'an ErrorOutputPrefix' : 'a Prefix'} on this machine`,
    );
  }
}

function evaluate(namespace: string, value: string, values: PrefixValues, timeZone: string): string {
  switch (namespace) {
    case 'timestamp':
      return formatTime(values.time, value, timeZone);
    case 'firehose':
      return value === 'error-output-type' ? (values.errorOutputType ?? '') : randomText();
    default: {
      const found = namespace === 'partitionKeyFromQuery' ? values.fromQuery[value] : values.fromLambda[value];
      if (found === undefined) throw new Error(`The record has no partition key ${value}`);
      return found;
    }
  }
}

function randomText(): string {
  return randomBytes(RANDOM_LENGTH).toString('base64url').slice(0, RANDOM_LENGTH).replace(/[-_]/g, 'x');
}
