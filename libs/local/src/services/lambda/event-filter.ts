import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import { AwsError } from '../../core/aws-error.ts';
import type { EventSourceMappingSettings } from './event-source-mapping.ts';

type Matcher = (record: JsonValue) => boolean;

/**
 * Compiles the FilterCriteria of a mapping: a record passes when it matches one of the patterns, or when there are none.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 * @param dataKey the record's key that holds JSON as text (`body` of an SQS record): where a pattern looks inside it, it is parsed
 *   first, and a record in which it is no JSON does not match
 * @throws AwsError InvalidParameterValueException for a pattern that EventBridge would refuse
 */
export function compileFilter(
  criteria: EventSourceMappingSettings['FilterCriteria'],
  dataKey?: string,
): (record: object) => boolean {
  const matchers = (criteria?.Filters ?? []).map(({ Pattern }) => compileOne(Pattern ?? '', dataKey));
  if (matchers.length === 0) return () => true;
  return (record) => matchers.some((matches) => matches(record as JsonValue));
}

function compileOne(pattern: string, dataKey: string | undefined): Matcher {
  let matches: Matcher;
  try {
    matches = compilePattern(pattern);
  } catch (error) {
    throw new AwsError(
      'InvalidParameterValueException',
      `Invalid filter pattern ${pattern}: ${(error as Error).message}`,
    );
  }
  if (dataKey === undefined) return matches;
  const data = (JSON.parse(pattern) as Record<string, unknown>)[dataKey];
  if (typeof data !== 'object' || Array.isArray(data)) return matches;
  return (record) => {
    try {
      const fields = record as Record<string, JsonValue>;
      return matches({ ...fields, [dataKey]: JSON.parse(String(fields[dataKey])) });
    } catch {
      return false;
    }
  };
}
