import { AwsError } from '../../core/aws-error.ts';
import { type Input, optionalChoice, optionalString, type TextConstraint } from './request-parameters.ts';

/**
 * The parameters by which ListArchives and ListReplays choose, of which a call may have one.
 * @param states the states there are
 * @throws AwsError ValidationException
 */
export function exclusiveFilter<State extends string>(
  input: Input,
  operation: string,
  name: TextConstraint,
  states: readonly State[],
): { prefix: string | undefined; sourceArn: string | undefined; state: State | undefined } {
  const filter = {
    prefix: optionalString(input, 'NamePrefix', name),
    sourceArn: optionalString(input, 'EventSourceArn', { maximumLength: 1600 }),
    state: optionalChoice(input, 'State', states),
  };
  if (Object.values(filter).filter((value) => value !== undefined).length > 1) {
    throw new AwsError(
      'ValidationException',
      `At most one filter is allowed for ${operation}. Use either : State, EventSourceArn, or NamePrefix.`,
    );
  }
  return filter;
}
