import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

const objectActions: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

/**
 * The plain operations on objects, and the listing of a bucket; what a query asks for beside that is not known.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @param operation `<method> /<bucket>/<key>`
 */
export function s3Access(operation: string, input: Input, _arn: ArnOf): readonly Access[] | undefined {
  const [, method = '', bucket = '', key] = /^([A-Z]+) \/([^/]+)(?:\/(.+)|\/)?$/.exec(operation) ?? [];
  if (key === undefined) {
    const lists = method === 'HEAD' || (method === 'GET' && Object.keys(input).every((name) => listing.has(name)));
    return lists && bucket ? [{ action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` }] : undefined;
  }
  const action = objectActions[method];
  const plain = Object.keys(input).every((name) => name === 'x-id');
  return action && plain
    ? [{ action: `s3:${action}`, resource: `arn:aws:s3:::${bucket}/${decodeURIComponent(key)}` }]
    : undefined;
}

const listing = new Set([
  'list-type',
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'marker',
]);
