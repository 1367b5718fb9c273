import type { Access } from '@millrace/iam-policy';
import type { AccessOf } from '../../core/access.ts';

const onPipe = new Set(['CreatePipe', 'UpdatePipe', 'DeletePipe', 'DescribePipe', 'StartPipe', 'StopPipe']);
const onArn = new Set(['ListTagsForResource', 'TagResource', 'UntagResource']);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgepipes.html */
export const pipesAccess: AccessOf = (operation, { Name, RoleArn, Tags, resourceArn }, arn) => {
  const access = (resource: string, action = operation): Access => ({ action: `pipes:${action}`, resource });
  if (operation === 'ListPipes') return [access('*')];
  if (onArn.has(operation)) return [access(String(resourceArn))];
  if (!onPipe.has(operation)) return undefined;
  const pipe = arn('pipes', `pipe/${Name}`);
  return [
    access(pipe),
    ...(operation === 'CreatePipe' && Tags ? [access(pipe, 'TagResource')] : []),
    ...(RoleArn === undefined ? [] : [passRole(String(RoleArn))]),
  ];
};

/** To give a pipe a role, a caller must be allowed to pass it. */
function passRole(resource: string): Access {
  return { action: 'iam:PassRole', resource, context: new Map([['iam:passedtoservice', ['pipes.amazonaws.com']]]) };
}
