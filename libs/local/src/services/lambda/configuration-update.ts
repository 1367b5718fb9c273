import { lambdaLimits } from '@millrace/events/aws-limits';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { describeDurableConfig, readDurableConfig } from './durable/durable-config.ts';
import { readEnvironment } from './function-definition.ts';
import { checkRange, invalidParameter } from './lambda-errors.ts';
import type { VersionConfiguration } from './local-function.ts';

/** Members of UpdateFunctionConfiguration that change something here. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  ...[
    'FunctionName',
    'RevisionId',
    'Description',
    'Handler',
    'Timeout',
    'MemorySize',
    'Environment',
    'DeadLetterConfig',
    'DurableConfig',
  ],
]);

/**
 * Reads what UpdateFunctionConfiguration changes.
 * https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
 *
 * @throws AwsError for what Lambda would refuse, and by name for what cannot be changed on this machine
 */
export function readConfigurationUpdate(input: Input, current: VersionConfiguration): Partial<VersionConfiguration> {
  const other = Object.keys(input).filter((member) => !CHANGEABLE.has(member) && input[member] !== undefined);
  if (other.length > 0) throw invalidParameter(`${other.join(', ')} cannot be changed on this machine`);
  requireRevision(input.RevisionId, current.revisionId);
  const { Timeout, MemorySize, Environment, DeadLetterConfig, Description, Handler, DurableConfig } = input;
  // https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html
  if (DurableConfig !== undefined && !current.durable) {
    throw invalidParameter('DurableConfig can only be changed of a function that was created as a durable function.');
  }
  checkRange('Timeout', Timeout, 1, lambdaLimits.timeout);
  checkRange('MemorySize', MemorySize, 128, 10_240);
  const variables = (Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {};
  const target = (DeadLetterConfig as { TargetArn?: string } | undefined)?.TargetArn;
  return {
    ...(Timeout !== undefined && { timeoutSeconds: Number(Timeout) }),
    ...(MemorySize !== undefined && { memoryMb: Number(MemorySize) }),
    ...(Environment !== undefined && { environment: readEnvironment(variables) }),
    ...(Description !== undefined && { description: String(Description) }),
    ...(Handler !== undefined && { handler: String(Handler) }),
    ...(DurableConfig !== undefined && {
      durable: readDurableConfig({ ...(current.durable && describeDurableConfig(current.durable)), ...DurableConfig }),
    }),
    // An empty one takes the dead-letter queue away.
    ...(DeadLetterConfig !== undefined && { deadLetterQueue: target || undefined }),
  };
}

/**
 * Lets a change pass if it was made of what is there.
 * @throws AwsError PreconditionFailedException
 */
export function requireRevision(expected: unknown, actual: string): void {
  if (expected === undefined || expected === actual) return;
  throw new AwsError(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    412,
    { Type: 'User' },
  );
}
