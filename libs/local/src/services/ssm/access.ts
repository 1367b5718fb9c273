import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html */
export function ssmAccess(operation: string, { Name, Names, Path }: Input, arn: ArnOf): readonly Access[] | undefined {
  const on = (...names: unknown[]): Access[] =>
    names.map((name) => ({
      action: `ssm:${operation}`,
      // A name's own slash is the one behind `parameter`.
      resource: arn('ssm', `parameter/${String(name ?? '').replace(/^\//, '')}`),
    }));
  switch (operation) {
    case 'GetParameter':
      return on(Name);
    case 'GetParameters':
      return on(...(Array.isArray(Names) ? Names : []));
    case 'GetParametersByPath':
      return on(Path);
    default:
      return undefined;
  }
}
