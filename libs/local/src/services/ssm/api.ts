import { AwsError } from '../../core/aws-error.ts';

/**
 * The part of Parameter Store's API that reads: over the parameters the templates declare.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export class SsmApi {
  readonly #parameters: () => Map<string, { value: string; type: string }>;
  readonly #arnOf: (name: string) => string;

  constructor(
    parameters: () => Map<string, { value: string; type: string }>,
    place: { accountId: string; region: string },
  ) {
    this.#parameters = parameters;
    this.#arnOf = (name) => `arn:aws:ssm:${place.region}:${place.accountId}:parameter/${name.replace(/^\//, '')}`;
  }

  /**
   * @param operation GetParameter, GetParameters or GetParametersByPath
   * @throws AwsError as Parameter Store does; UnknownOperationException for any other operation
   */
  handle(operation: string, input: Record<string, unknown>): unknown {
    switch (operation) {
      case 'GetParameter': {
        const parameter = this.#find(String(input.Name));
        if (!parameter) throw new AwsError('ParameterNotFound', `Parameter ${String(input.Name)} not found.`);
        return { Parameter: parameter };
      }
      case 'GetParameters': {
        const names = (Array.isArray(input.Names) ? input.Names : []).map(String);
        const found = names.map((name) => [name, this.#find(name)] as const);
        return {
          Parameters: found.flatMap(([, parameter]) => parameter ?? []),
          InvalidParameters: found.flatMap(([name, parameter]) => (parameter ? [] : name)),
        };
      }
      case 'GetParametersByPath': {
        const path = `${String(input.Path).replace(/\/$/, '')}/`;
        const below = [...this.#parameters().keys()].filter(
          (name) => name.startsWith(path) && (input.Recursive === true || !name.slice(path.length).includes('/')),
        );
        return { Parameters: below.toSorted().flatMap((name) => this.#find(name) ?? []) };
      }
      default:
        throw new AwsError('UnknownOperationException', `SSM ${operation} is not available on this machine`);
    }
  }

  #find(name: string) {
    const parameter = this.#parameters().get(name);
    if (!parameter) return undefined;
    return {
      Name: name,
      Type: parameter.type,
      Value: parameter.value,
      Version: 1,
      DataType: 'text',
      ARN: this.#arnOf(name),
    };
  }
}
