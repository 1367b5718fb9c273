import { EventPattern, InvalidPatternError } from '@millrace/event-pattern';
import { AwsError } from '../../core/aws-error.ts';

/**
 * Compiles the pattern of a rule or an archive.
 *
 * @param pattern JSON text
 * @throws AwsError InvalidEventPatternException, with the reason
 */
export function readEventPattern(pattern: string): EventPattern {
  try {
    return new EventPattern(pattern);
  } catch (error) {
    if (error instanceof InvalidPatternError) throw new AwsError(error.code, error.message);
    throw error;
  }
}
