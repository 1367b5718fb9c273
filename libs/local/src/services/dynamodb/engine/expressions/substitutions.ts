import { type AttributeValue, readValue, valueSize } from '../attribute-value.ts';
import { serializationError, validationError } from '../dynamodb-error.ts';

/** A request that names expressions, and the two members that these refer to. */
type Request = Readonly<Record<string, unknown>> & {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
};

/** The names and values that a request's expressions refer to, and which of them they have used. */
export class Substitutions {
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, AttributeValue>;
  readonly #unusedNames: Set<string>;
  readonly #unusedValues: Set<string>;

  /**
   * @param expressions the members of the request that can refer to names and values
   * @throws DynamoDbError ValidationException for names and values that no expression can use
   */
  constructor(request: object, expressions: readonly string[]) {
    const input = request as Request;
    // Projections have no values, and requests that only project none at all.
    const users = expressions.filter((expression) => expression !== 'ProjectionExpression');
    const names = input.ExpressionAttributeNames ?? undefined;
    const values = users.length > 0 ? (input.ExpressionAttributeValues ?? undefined) : undefined;
    assertUsable('ExpressionAttributeNames', names, isWithout(input, expressions), '');
    const which = `: ${users.join(' and ')} ${users.length > 1 ? 'are' : 'is'} null`;
    assertUsable('ExpressionAttributeValues', values, isWithout(input, users), which);
    this.#names = new Map(Object.entries(names ?? {}));
    for (const [name, attribute] of this.#names) {
      if (!/^#[A-Za-z0-9_]+$/.test(name)) throw invalidKey('ExpressionAttributeNames', name);
      assertPlaceholder('ExpressionAttributeNames', name);
      if (typeof attribute !== 'string') throw serializationError('Expected a string as the value of a name');
      if (attribute === '')
        throw validationError(
          `ExpressionAttributeNames contains invalid value: Invalid attribute name for key ${name}`,
        );
    }
    this.#values = new Map(
      Object.entries(values ?? {}).map(([name, value]) => {
        if (!/^:[A-Za-z0-9_]+$/.test(name)) throw invalidKey('ExpressionAttributeValues', name);
        assertPlaceholder('ExpressionAttributeValues', name);
        return [name, valueNamed(name, value)];
      }),
    );
    const size = [...this.#values.values()].reduce((sum, value) => sum + valueSize(value), 0);
    if (size > MAX_VARIABLES_BYTES) {
      throw validationError('Total size of all substitution variables in the expression exceeds the limit of 2 MB');
    }
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

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters */
const MAX_PLACEHOLDER_BYTES = 255;
const MAX_VARIABLES_BYTES = 2 * 1024 * 1024;

function isWithout(input: Request, expressions: readonly string[]): boolean {
  return expressions.every((expression) => input[expression] === undefined);
}

function assertUsable(member: string, content: object | undefined, isUseless: boolean, which: string): void {
  if (content === undefined) return;
  if (isUseless) throw validationError(`${member} can only be specified when using expressions${which}`);
  if (Object.keys(content).length === 0) throw validationError(`${member} must not be empty`);
}

function assertPlaceholder(member: string, name: string): void {
  if (name.length <= MAX_PLACEHOLDER_BYTES) return;
  throw validationError(
    `${member} contains invalid key: Key is too long; key length: ${name.length}, maximum: ${MAX_PLACEHOLDER_BYTES}`,
  );
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
