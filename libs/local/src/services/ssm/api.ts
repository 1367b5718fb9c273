import { AwsError } from '../../core/aws-error.ts';
import type { Operations } from '../../core/service.ts';
import type { Parameters } from './resource-types.ts';

/**
 * The part of Parameter Store's API that reads.
 *
 * @param parameters asked for at each call
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export function ssmOperations(
  parameters: () => Parameters,
  { accountId, region }: { accountId: string; region: string },
): Operations {
  const find = (name: string) => {
    const parameter = parameters().get(name);
    if (!parameter) return undefined;
    return {
      Name: name,
      Type: parameter.type,
      Value: parameter.value,
      Version: 1,
      DataType: 'text',
      ARN: `arn:aws:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, '')}`,
    };
  };
  return {
    GetParameter: ({ Name }) => {
      const parameter = find(String(Name));
      if (!parameter) throw new AwsError('ParameterNotFound', `Parameter ${String(Name)} not found.`);
      return { Parameter: parameter };
    },
    GetParameters: ({ Names }) => {
      const names = (Array.isArray(Names) ? Names : []).map(String);
      const found = names.map((name) => [name, find(name)] as const);
      return {
        Parameters: found.flatMap(([, parameter]) => parameter ?? []),
        InvalidParameters: found.flatMap(([name, parameter]) => (parameter ? [] : name)),
      };
    },
    GetParametersByPath: ({ Path, Recursive }) => {
      const path = `${String(Path).replace(/\/$/, '')}/`;
      const below = [...parameters().keys()].filter(
        (name) => name.startsWith(path) && (Recursive === true || !name.slice(path.length).includes('/')),
      );
      return { Parameters: below.toSorted().flatMap((name) => find(name) ?? []) };
    },
  };
}
