import type { Access } from '@millrace/iam-policy';
import type { AccessOf } from '../../core/access.ts';

const onEverything = new Set([
  'ListStateMachines',
  'ListActivities',
  'ValidateStateMachineDefinition',
  'SendTaskSuccess',
  'SendTaskFailure',
  'SendTaskHeartbeat',
]);
const onExecution = new Set([
  'DescribeExecution',
  'DescribeStateMachineForExecution',
  'GetExecutionHistory',
  'StopExecution',
  'RedriveExecution',
]);
const byArn: Readonly<Record<string, string>> = {
  UpdateStateMachine: 'stateMachineArn',
  DeleteStateMachine: 'stateMachineArn',
  DescribeStateMachine: 'stateMachineArn',
  PublishStateMachineVersion: 'stateMachineArn',
  ListStateMachineVersions: 'stateMachineArn',
  ListStateMachineAliases: 'stateMachineArn',
  ListExecutions: 'stateMachineArn',
  StartExecution: 'stateMachineArn',
  DeleteActivity: 'activityArn',
  DescribeActivity: 'activityArn',
  GetActivityTask: 'activityArn',
  StartSyncExecution: 'stateMachineArn',
  DeleteStateMachineVersion: 'stateMachineVersionArn',
  UpdateStateMachineAlias: 'stateMachineAliasArn',
  DescribeStateMachineAlias: 'stateMachineAliasArn',
  DeleteStateMachineAlias: 'stateMachineAliasArn',
  TagResource: 'resourceArn',
  UntagResource: 'resourceArn',
  ListTagsForResource: 'resourceArn',
};

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html */
export const statesAccess: AccessOf = (operation, input, arn) => {
  const access = (resource: unknown, action = operation): Access => ({
    action: `states:${action}`,
    resource: String(resource),
  });
  if (onEverything.has(operation)) return [access('*')];
  if (onExecution.has(operation)) return [access(input.executionArn)];
  if (operation === 'CreateActivity') return [access(arn('states', `activity:${input.name}`))];
  if (operation === 'CreateStateMachine') {
    return [access(arn('states', `stateMachine:${input.name}`)), ...passRole(input.roleArn)];
  }
  if (operation === 'CreateStateMachineAlias') {
    const [route] = (Array.isArray(input.routingConfiguration) ? input.routingConfiguration : []) as {
      stateMachineVersionArn?: string;
    }[];
    return [access(String(route?.stateMachineVersionArn ?? '').replace(/:\d+$/, ''))];
  }
  if (operation === 'TestState') return [access('*'), ...passRole(input.roleArn)];
  const member = byArn[operation];
  if (member === undefined) return undefined;
  return [access(input[member]), ...(operation === 'UpdateStateMachine' ? passRole(input.roleArn) : [])];
};

/** A caller that gives a state machine a role needs permission to pass it. */
function passRole(roleArn: unknown): Access[] {
  if (roleArn === undefined) return [];
  const context = new Map([['iam:passedtoservice', ['states.amazonaws.com']]]);
  return [{ action: 'iam:PassRole', resource: String(roleArn), context }];
}
