import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const onRule = new Set(['PutRule', 'DeleteRule', 'DescribeRule', 'EnableRule', 'DisableRule']);
const onTargets = new Set(['PutTargets', 'RemoveTargets', 'ListTargetsByRule']);
const onBus = new Set(['CreateEventBus', 'DeleteEventBus', 'DescribeEventBus']);
const onConnection = new Set([
  ...['CreateConnection', 'UpdateConnection', 'DeleteConnection', 'DescribeConnection', 'DeauthorizeConnection'],
]);
const onApiDestination = new Set([
  ...['CreateApiDestination', 'UpdateApiDestination', 'DeleteApiDestination', 'DescribeApiDestination'],
]);
const onNothing = new Set([
  'ListEventBuses',
  'ListRules',
  'ListRuleNamesByTarget',
  'TestEventPattern',
  'ListConnections',
  'ListApiDestinations',
]);

/**
 * PutEvents is not decided here but entry by entry, see put-events-authorization.ts.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
 */
export function eventsAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  if (operation === 'PutEvents') return [];
  const access = (resource: string): Access[] => [{ action: `events:${operation}`, resource }];
  const busName = (nameOrArn: unknown): string => {
    const name = String(nameOrArn ?? 'default');
    return name.slice(name.lastIndexOf('/') + 1);
  };
  if (onBus.has(operation)) return access(arn('events', `event-bus/${busName(input.Name)}`));
  if (onRule.has(operation) || onTargets.has(operation)) {
    const bus = busName(input.EventBusName);
    const rule = String((onRule.has(operation) ? input.Name : input.Rule) ?? '');
    return access(arn('events', bus === 'default' ? `rule/${rule}` : `rule/${bus}/${rule}`));
  }
  // The last part of their ARNs is not in the request: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
  if (onConnection.has(operation)) return access(arn('events', `connection/${input.Name}`));
  if (onApiDestination.has(operation)) return access(arn('events', `api-destination/${input.Name}`));
  return onNothing.has(operation) ? access('*') : undefined;
}
