import jsonata from 'jsonata';
import { EvaluationFailure } from '../failure.ts';
import { type Json, type JsonObject, setMember, typeName } from '../json.ts';
import type { Scope } from '../scope.ts';
import { hash, IntrinsicError, parse, partition, range, seeded } from './intrinsic-functions.ts';

/** What an expression may take at most before it fails: milliseconds, and calls in each other. */
const limits = { timeout: 5000, stack: 500 };

/** A string that is an expression as a whole: `{% $states.input.total %}`. */
const pattern = /^\{%([\s\S]*)%\}$/;

/** True if a field of the JSONata language is an expression, not a constant. */
export function isJsonata(value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value);
}

/**
 * Compiles an expression with its delimiters.
 * @param field as errors name it, e.g. `Arguments/FunctionName`
 * @throws Error for an expression that cannot be parsed, or that uses `$eval`, which Step Functions does not have
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */
export function compileJsonata(text: string, field: string): (scope: Scope) => Promise<Json> {
  const source = (pattern.exec(text)?.[1] ?? text).trim();
  const expression = jsonata(source, limits);
  if (usesEval(expression.ast())) throw new Error('the function $eval is not supported');
  for (const [name, implementation] of Object.entries(pureFunctions)) expression.assign(name, implementation);
  return async (scope) => {
    let value: unknown;
    try {
      value = await expression.evaluate(undefined, bindingsOf(scope));
    } catch (error) {
      throw new EvaluationFailure(
        `The JSONata expression '${source}' specified for the field '${field}' threw an error during evaluation. ${describe(error)}`,
        field,
      );
    }
    if (value === undefined) {
      throw new EvaluationFailure(
        `The JSONata expression '${source}' specified for the field '${field}' returned nothing (undefined).`,
        field,
      );
    }
    const result = plain(value);
    if (result === undefined) {
      throw new EvaluationFailure(
        `The JSONata expression '${source}' specified for the field '${field}' returned an unsupported result type.`,
        field,
      );
    }
    return result;
  };
}

/**
 * Compiles a field that must have a type.
 * @param expected the name of a JSON type
 */
export function compileTypedJsonata<Value extends Json>(
  text: string,
  field: string,
  expected: 'array' | 'number' | 'string' | 'boolean',
): (scope: Scope) => Promise<Value> {
  const evaluate = compileJsonata(text, field);
  const source = (pattern.exec(text)?.[1] ?? text).trim();
  return async (scope) => {
    const value = await evaluate(scope);
    if (typeName(value) === expected) return value as Value;
    throw new EvaluationFailure(
      `The JSONata expression '${source}' specified for the field '${field}' returned an unexpected result type. Expected '${expected}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`,
      field,
    );
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn */
const pureFunctions: Readonly<Record<string, unknown>> = {
  partition: (items: Json[], size: number) => guarded(() => partition(items, size)),
  range: (from: number, to: number, by: number) => guarded(() => range(from, to, by)),
  hash: (value: Json, algorithm = 'SHA-256') => guarded(() => hash(value, algorithm)),
  parse: (text: string) => guarded(() => parse(text)),
};

function guarded(compute: () => Json): Json {
  try {
    return compute();
  } catch (error) {
    // jsonata adds the position to errors that are plain objects.
    if (error instanceof IntrinsicError) throw Object.assign(new Error(error.message), { code: undefined });
    throw error;
  }
}

function bindingsOf({ input, context, variables, result, errorOutput, chance }: Scope): Record<string, unknown> {
  const states: Record<string, Json> = { input, context };
  if (result !== undefined) states.result = result;
  if (errorOutput !== undefined) states.errorOutput = errorOutput;
  const now = chance.now();
  return {
    ...variables,
    states,
    random: (seed?: number) => (seed === undefined ? chance.random() : seeded(seed)),
    uuid: () => chance.uuid(),
    millis: () => now,
    now: momentOf(now),
  };
}

/** What a function of jsonata is called with: its environment, beside the arguments. */
interface Focus {
  environment: { lookup(name: string): { implementation: (...given: unknown[]) => unknown } };
}

/** `$now`, by the clock of the cloud. Only functions in the form of jsonata's own get to see the environment. */
function momentOf(now: number) {
  return {
    _jsonata_function: true,
    implementation(this: Focus, ...given: unknown[]): unknown {
      return this.environment.lookup('fromMillis').implementation.call(this, now, ...given);
    },
  };
}

/** A result as plain JSON; undefined if it has something in it that is not JSON, such as a function. */
function plain(value: unknown): Json | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value;
  if (Array.isArray(value)) {
    const items = value.map(plain);
    return items.some((item) => item === undefined) ? undefined : (items as Json[]);
  }
  if (typeof value !== 'object' || '_jsonata_lambda' in (value as object) || '_jsonata_function' in (value as object))
    return undefined;
  const copy: JsonObject = {};
  for (const [name, member] of Object.entries(value as object)) {
    const kept = plain(member);
    if (kept === undefined) return undefined;
    setMember(copy, name, kept);
  }
  return copy;
}

function describe(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === undefined ? String(message) : `${code}: ${message}`;
}

/** Looks through a syntax tree, whatever its nodes are. */
function usesEval(node: unknown, seen = new Set<unknown>()): boolean {
  if (typeof node !== 'object' || node === null || seen.has(node)) return false;
  seen.add(node);
  const { type, value } = node as jsonata.ExprNode;
  if (type === 'variable' && value === 'eval') return true;
  return Object.values(node).some((part) => usesEval(part, seen));
}
