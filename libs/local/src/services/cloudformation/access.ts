import type { AccessOf } from '../../core/access.ts';

const onStack = new Set([
  ...['DescribeStacks', 'DescribeStackResource', 'DescribeStackResources', 'ListStackResources', 'GetTemplate'],
]);
const onEverything = new Set(['ListStacks', 'ListExports', 'ListImports']);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html */
export const cloudFormationAccess: AccessOf = (operation, { StackName }, arn) => {
  if (onEverything.has(operation)) return [{ action: `cloudformation:${operation}`, resource: '*' }];
  if (!onStack.has(operation)) return undefined;
  if (StackName === undefined) return [{ action: `cloudformation:${operation}`, resource: '*' }];
  const name = String(StackName);
  const resource = name.startsWith('arn:') ? name : arn('cloudformation', `stack/${name}/*`);
  return [{ action: `cloudformation:${operation}`, resource }];
};
