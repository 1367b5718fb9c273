import type { Json } from '../json.ts';
import type { Scope } from '../scope.ts';
import { endsBehindList, PathError, parseJsonPath, readJsonPath, referenceSteps } from './json-path.ts';
import type { JsonPath } from './json-path-steps.ts';

/** A path with its root: the input `$`, the context object `$$` or a variable `$name`. */
export interface PathExpression {
  readonly text: string;
  readonly root: 'input' | 'context' | { readonly variable: string };
  readonly path: JsonPath;
}

/**
 * Parses a path as fields of the JSONPath language have it.
 * @throws PathError
 * @example
 * readPath(parsePath('$.order.id'), scope);
 */
export function parsePath(text: string): PathExpression {
  const [, head, rest = ''] = /^(\$\$|\$[\p{L}_][\p{L}\p{N}_]*|\$)(.*)$/su.exec(text) ?? [];
  if (head === undefined) throw new PathError(`Path ${text} must start with $`);
  const path = parseJsonPath(rest);
  if (head === '$$') return { text, root: 'context', path };
  return { text, root: head === '$' ? 'input' : { variable: head.slice(1) }, path };
}

/**
 * Reads what a path leads to.
 * @throws PathError
 */
export function readPath(expression: PathExpression, scope: Scope): Json {
  return readJsonPath(expression.path, rootOf(expression, scope));
}

/** As `readPath`, but null for an item behind the end of a list, which payload templates take. */
export function readTemplatePath(expression: PathExpression, scope: Scope): Json {
  const root = rootOf(expression, scope);
  try {
    return readJsonPath(expression.path, root);
  } catch (error) {
    if (error instanceof PathError && endsBehindList(expression.path, root)) return null;
    throw error;
  }
}

/** What the path starts at. */
export function rootOf({ root, text }: PathExpression, { input, context, variables }: Scope): Json {
  if (root === 'input') return input;
  if (root === 'context') return context;
  if (Object.hasOwn(variables, root.variable)) return variables[root.variable] as Json;
  throw new PathError(`The variable '$${root.variable}' of ${text} has not been assigned`);
}

/** True if a path leads to one place by members and items alone, as Reference Paths do. */
export function isReferencePath({ path }: PathExpression): boolean {
  return referenceSteps(path) !== undefined;
}
