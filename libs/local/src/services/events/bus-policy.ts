import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { compilePolicy, type Policy, PolicyError } from '@millrace/iam-policy';
import { AwsError } from '../../core/aws-error.ts';
import { type Input, optionalString, optionalStructure, requiredString } from './request-parameters.ts';

/** The resource-based policy of an event bus. */
export interface BusPolicy {
  /** JSON, as DescribeEventBus shows it. */
  readonly text: string;
  readonly compiled: Policy;
}

interface PolicyStatement {
  Sid?: string;
  [element: string]: unknown;
}

const statementId = { maximumLength: 64, pattern: /^[a-zA-Z0-9-_]+$/ };

/**
 * The policy of a bus after PutPermission: a whole policy takes the place of the present one; a statement given by its
 * parts is added to it, or takes the place of the one with its id.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
 * @throws AwsError ValidationException, or PolicyLengthExceededException above 10 KB
 */
export function policyAfterPut(current: BusPolicy | undefined, input: Input, busArn: string): BusPolicy {
  const whole = optionalString(input, 'Policy');
  if (whole !== undefined) return readBusPolicy(whole);
  const Sid = requiredString(input, 'StatementId', statementId);
  const principal = requiredString(input, 'Principal', { maximumLength: 12, pattern: /^(\d{12}|\*)$/ });
  const condition = optionalStructure(input, 'Condition');
  const statement: PolicyStatement = {
    Sid,
    Effect: 'Allow',
    Principal: principal === '*' ? '*' : { AWS: `arn:aws:iam::${principal}:root` },
    Action: requiredString(input, 'Action', { maximumLength: 64, pattern: /^events:[a-zA-Z]+$/ }),
    Resource: busArn,
    ...(condition && {
      Condition: {
        [requiredString(condition, 'Type')]: { [requiredString(condition, 'Key')]: requiredString(condition, 'Value') },
      },
    }),
  };
  return writeBusPolicy([...statementsOf(current).filter((other) => other.Sid !== Sid), statement]);
}

/**
 * The policy of a bus after RemovePermission; undefined when nothing is left of it.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemovePermission.html
 * @throws AwsError ResourceNotFoundException when there is no such statement
 */
export function policyAfterRemoval(current: BusPolicy | undefined, input: Input): BusPolicy | undefined {
  if (input.RemoveAllPermissions === true) return undefined;
  const Sid = requiredString(input, 'StatementId', statementId);
  const statements = statementsOf(current);
  const remaining = statements.filter((statement) => statement.Sid !== Sid);
  if (remaining.length === statements.length) {
    throw new AwsError('ResourceNotFoundException', `Statement with the provided id does not exist: ${Sid}.`);
  }
  return remaining.length === 0 ? undefined : writeBusPolicy(remaining);
}

/**
 * The policy with the statement of an AWS::Events::EventBusPolicy in it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
 */
export function policyWithStatement(currentText: string | undefined, Sid: string, statement: object): string {
  const current = currentText === undefined ? undefined : readBusPolicy(currentText);
  const others = statementsOf(current).filter((other) => other.Sid !== Sid);
  return JSON.stringify({ Version: '2012-10-17', Statement: [...others, { ...statement, Sid }] });
}

function statementsOf(policy: BusPolicy | undefined): PolicyStatement[] {
  if (!policy) return [];
  const { Statement } = JSON.parse(policy.text) as { Statement: PolicyStatement | PolicyStatement[] };
  return [Statement].flat();
}

function writeBusPolicy(Statement: PolicyStatement[]): BusPolicy {
  return readBusPolicy(JSON.stringify({ Version: '2012-10-17', Statement }));
}

function readBusPolicy(text: string): BusPolicy {
  if (text.length > eventBridgeLimits.policyLength) {
    throw new AwsError(
      'PolicyLengthExceededException',
      `The policy is longer than ${eventBridgeLimits.policyLength} characters.`,
    );
  }
  try {
    return { text, compiled: compilePolicy(text, 'resource-based', 'Policy') };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new AwsError('ValidationException', `Parameter Policy is not valid. Reason: ${error.message}.`);
  }
}
