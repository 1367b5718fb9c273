import { type AttributeValue, readValue } from '../attribute-value.ts';
import { validationError } from '../dynamodb-error.ts';

/** The two members of a request that expressions refer to. */
export interface SubstitutionInput {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/** The names and values that a request's expressions refer to, and which of them they have used. */
export class Substitutions {
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, AttributeValue>;
  readonly #unusedNames: Set<string>;
  readonly #unusedValues: Set<string>;

  /**
   * @param hasExpression whether the request has an expression at all
   * @throws DynamoDbError ValidationException for names and values that no expression can use
   */
  constructor(
    { ExpressionAttributeNames: names, ExpressionAttributeValues: values }: SubstitutionInput,
    hasExpression: boolean,
  ) {
    for (const [member, content] of Object.entries({
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    })) {
      if (content === undefined || content === null) continue;
      if (!hasExpression) throw validationError(`${member} can only be specified when using expressions`);
      if (Object.keys(content).length === 0) throw validationError(`${member} must not be empty`);
    }
    this.#names = new Map(Object.entries(names ?? {}));
    for (const name of this.#names.keys()) {
      if (!/^#[A-Za-z0-9_]+$/.test(name)) throw invalidKey('ExpressionAttributeNames', name);
    }
    this.#values = new Map(
      Object.entries(values ?? {}).map(([name, value]) => {
        if (!/^:[A-Za-z0-9_]+$/.test(name)) throw invalidKey('ExpressionAttributeValues', name);
        return [name, valueNamed(name, value)];
      }),
    );
    this.#unusedNames = new Set(this.#names.keys());
    this.#unusedValues = new Set(this.#values.keys());
  }

  /** The attribute name that a `#placeholder` means; undefined when it is not defined. */
  name(placeholder: string): string | undefined {
    this.#unusedNames.delete(placeholder);
    return this.#names.get(placeholder);
  }

  /** The value that `:name` means; undefined when it is not defined. */
  value(name: string): AttributeValue | undefined {
    this.#unusedValues.delete(name);
    return this.#values.get(name);
  }

  /** @throws DynamoDbError ValidationException when a name or value is in no expression */
  assertAllUsed(): void {
    const unused = { Names: this.#unusedNames, Values: this.#unusedValues };
    for (const [member, left] of Object.entries(unused)) {
      if (left.size === 0) continue;
      const keys = [...left].join(', ');
      throw validationError(`Value provided in ExpressionAttribute${member} unused in expressions: keys: {${keys}}`);
    }
  }
}

function invalidKey(member: string, key: string): Error {
  return validationError(`${member} contains invalid key: Syntax error; key: "${key}"`);
}

function valueNamed(name: string, value: unknown): AttributeValue {
  try {
    return readValue(value);
  } catch (error) {
    if ((error as Error).name !== 'ValidationException') throw error;
    throw validationError(
      `ExpressionAttributeValues contains invalid value: ${(error as Error).message} for key ${name}`,
    );
  }
}
