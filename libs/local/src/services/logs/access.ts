import type { AccessOf } from '../../core/access.ts';

const onGroup = new Set([
  ...['CreateLogGroup', 'DeleteLogGroup', 'PutRetentionPolicy', 'DeleteRetentionPolicy', 'CreateLogStream'],
  ...['DescribeLogStreams', 'FilterLogEvents', 'StartQuery'],
]);
const onStream = new Set(['PutLogEvents', 'GetLogEvents', 'DeleteLogStream']);
const onArn = new Set(['ListTagsForResource', 'TagResource', 'UntagResource']);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html */
export const logsAccess: AccessOf = (operation, input, arn) => {
  const { logGroupName, logGroupIdentifier, logStreamName, resourceArn } = input;
  const name = String(logGroupName ?? logGroupIdentifier ?? '').replace(/^arn:.*:log-group:|:\*$/g, '');
  const group = arn('logs', `log-group:${name}`);
  if (onGroup.has(operation)) return [{ action: `logs:${operation}`, resource: `${group}:*` }];
  if (onStream.has(operation)) {
    return [{ action: `logs:${operation}`, resource: `${group}:log-stream:${String(logStreamName ?? '')}` }];
  }
  if (onArn.has(operation)) return [{ action: `logs:${operation}`, resource: String(resourceArn) }];
  if (operation === 'StartLiveTail') {
    const identifiers = (input.logGroupIdentifiers ?? ['']) as unknown[];
    return identifiers.map((identifier) => ({ action: 'logs:StartLiveTail', resource: String(identifier) }));
  }
  if (operation === 'DescribeLogGroups')
    return [{ action: 'logs:DescribeLogGroups', resource: arn('logs', 'log-group:*') }];
  return undefined;
};
