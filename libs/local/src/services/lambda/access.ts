import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const api = /^(GET|POST|PUT) \/2015-03-31\/(functions|event-source-mappings)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/;

const functionActions: Readonly<Record<string, string>> = {
  GET: 'GetFunction',
  'GET configuration': 'GetFunctionConfiguration',
  'POST invocations': 'InvokeFunction',
};
const mappingActions: Readonly<Record<string, string>> = {
  GET: 'GetEventSourceMapping',
  PUT: 'UpdateEventSourceMapping',
};

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html */
export function lambdaAccess(operation: string, _input: Input, arn: ArnOf): readonly Access[] | undefined {
  const [, method = '', collection, id, part] = api.exec(operation) ?? [];
  const kind = part === undefined ? method : `${method} ${part}`;
  const onFunctions = collection === 'functions';
  if (id === undefined) {
    if (kind !== 'GET') return undefined;
    return [{ action: onFunctions ? 'lambda:ListFunctions' : 'lambda:ListEventSourceMappings', resource: '*' }];
  }
  const action = (onFunctions ? functionActions : mappingActions)[kind];
  if (action === undefined) return undefined;
  const name = decodeURIComponent(id);
  const resource = onFunctions ? `function:${functionName(name)}` : `event-source-mapping:${name}`;
  return [{ action: `lambda:${action}`, resource: arn('lambda', resource) }];
}

/** A function is named by its name, by `<account>:function:<name>` or by its ARN. */
function functionName(identifier: string): string {
  return identifier.split('function:').at(-1) ?? identifier;
}
