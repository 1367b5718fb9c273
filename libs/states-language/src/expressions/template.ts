import { RuntimeFailure } from '../failure.ts';
import { isObject, type Json, type JsonObject, setMember } from '../json.ts';
import type { Evaluate, Scope } from '../scope.ts';
import { compileIntrinsic } from './intrinsic.ts';
import { PathError } from './json-path.ts';
import { compileJsonata, isJsonata } from './jsonata.ts';
import { parsePath, readTemplatePath, rootOf } from './path-expression.ts';

/**
 * Compiles a payload template of the JSONPath language: `Parameters`, `ResultSelector`, `ItemSelector`, `Assign`. Members whose name
 * ends in `.$` are paths or intrinsic functions.
 * @throws Error for a member that is neither, with its place in the message
 * https://docs.aws.amazon.com/step-functions/latest/dg/input-output-inputpath-params.html
 */
export function compileJsonPathTemplate(template: Json): (scope: Scope) => Json {
  if (Array.isArray(template)) {
    const items = template.map((item) => compileJsonPathTemplate(item));
    return (scope) => items.map((item) => item(scope));
  }
  if (!isObject(template)) return () => template;
  const members = Object.entries(template).map(([name, value]) => compileMember(name, value));
  const names = new Set(members.map(([name]) => name));
  if (names.size !== members.length) throw new Error('a field has both a constant and a path');
  return (scope) => {
    const result: JsonObject = {};
    for (const [name, evaluate] of members) setMember(result, name, evaluate(scope));
    return result;
  };
}

function compileMember(name: string, value: Json): [string, (scope: Scope) => Json] {
  if (!name.endsWith('.$')) return [name, compileJsonPathTemplate(value)];
  if (typeof value !== 'string')
    throw new Error(`the value of the field '${name}' must be a path or an intrinsic function`);
  const target = name.slice(0, -2);
  if (!value.startsWith('$')) return [target, compileIntrinsic(value)];
  const expression = parsePath(value);
  return [
    target,
    (scope) => {
      try {
        return readTemplatePath(expression, scope);
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        const input = JSON.stringify(rootOrNull(() => rootOf(expression, scope)));
        throw new RuntimeFailure(
          `The JSONPath '${value}' specified for the field '${name}' could not be found in the input '${input}'`,
        );
      }
    },
  ];
}

/** The variables are what a variable was not found in. */
function rootOrNull(root: () => Json): Json {
  try {
    return root();
  } catch {
    return null;
  }
}

/**
 * Compiles a field of the JSONata language: strings that are expressions, in objects and lists of any depth.
 * @param field as errors name it, e.g. `Output`
 * @throws Error for an expression that cannot be parsed, with its place in the message
 */
export function compileJsonataTemplate(template: Json, field: string): Evaluate {
  if (isJsonata(template)) {
    try {
      return compileJsonata(template, field);
    } catch (error) {
      throw new Error(
        `The JSONata expression of ${field} is not valid: ${error instanceof Error ? error.message : (error as { message: string }).message}`,
      );
    }
  }
  if (Array.isArray(template)) {
    const items = template.map((item, index) => compileJsonataTemplate(item, `${field}[${index}]`));
    return async (scope) => {
      const values: Json[] = [];
      for (const item of items) values.push(await item(scope));
      return values;
    };
  }
  if (!isObject(template)) return () => template;
  const members = Object.entries(template).map(
    ([name, value]) => [name, compileJsonataTemplate(value, `${field}/${name}`)] as const,
  );
  return async (scope) => {
    const result: JsonObject = {};
    for (const [name, evaluate] of members) setMember(result, name, await evaluate(scope));
    return result;
  };
}
