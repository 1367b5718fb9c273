import { parseFieldsPattern } from './fields-pattern.ts';
import { parseJsonPattern } from './json-pattern.ts';
import { parseTextPattern } from './text-pattern.ts';

/** Whether a message matches. */
export type MessageFilter = (message: string) => boolean;

/**
 * Reads a filter pattern of CloudWatch Logs: terms (`ERROR -retry`), JSON (`{ $.level = "ERROR" }`) or fields (`[ip, status = 4*]`).
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 *
 * @throws AwsError InvalidParameterException
 * @example
 * const isError = parseFilterPattern('{ $.level = "ERROR" }');
 * isError('{"level":"ERROR"}'); // true
 */
export function parseFilterPattern(pattern: string): MessageFilter {
  const text = pattern.trim();
  if (text.startsWith('{')) return parseJsonPattern(text);
  if (text.startsWith('[')) return parseFieldsPattern(text);
  return parseTextPattern(text);
}
