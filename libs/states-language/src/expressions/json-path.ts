import { isObject, type Json } from '../json.ts';
import { parseFilter } from './json-path-filter.ts';
import type { JsonPath, Step } from './json-path-steps.ts';

/** A path that is not one, or that leads nowhere. */
export class PathError extends Error {}

const functions: Readonly<Record<string, (value: Json) => Json>> = {
  length: (value) => (Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : null),
  size: (value) => functions.length?.(value) ?? null,
  min: (value) => Math.min(...numbersOf(value)),
  max: (value) => Math.max(...numbersOf(value)),
  sum: (value) => numbersOf(value).reduce((sum, one) => sum + one, 0),
  avg: (value) => numbersOf(value).reduce((sum, one) => sum + one, 0) / numbersOf(value).length,
  keys: (value) => (isObject(value) ? Object.keys(value) : null),
};

/**
 * Parses the part of a path behind its root: `.a['b'][0]`, `[*].x`, `..y[?(@.z > 1)]`.
 * https://github.com/json-path/JsonPath is what AWS follows.
 * @throws PathError
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('..', at)) {
      steps.push({ kind: 'descendants' });
      at += text[at + 2] === '[' ? 2 : 1;
    } else if (text[at] === '.') {
      const [step, end] = readName(text, at + 1);
      steps.push(step);
      at = end;
    } else if (text[at] === '[') {
      const end = endOfBracket(text, at);
      steps.push(readBracket(text.slice(at + 1, end).trim()));
      at = end + 1;
    } else {
      throw new PathError(`Could not parse token starting at position ${at + 1}. Expected ?, ', 0-9, * `);
    }
  }
  return { steps, isDefinite: steps.every(isSingle) };
}

function readName(text: string, start: number): [Step, number] {
  let end = start;
  while (end < text.length && text[end] !== '.' && text[end] !== '[') end += 1;
  const name = text.slice(start, end);
  if (name === '') throw new PathError("Path must not end with a '.' or '..'");
  if (name === '*') return [{ kind: 'wildcard' }, end];
  const called = /^(\w+)\(\)$/.exec(name)?.[1];
  if (called !== undefined) {
    if (!functions[called]) throw new PathError(`Function of name: ${called} cannot be created`);
    return [{ kind: 'function', name: called }, end];
  }
  if (/[\s()?,]/.test(name))
    throw new PathError(
      `Use bracket notion ['my prop'] if your property contains blank characters. position: ${start}`,
    );
  return [{ kind: 'members', names: [name] }, end];
}

/** The place of the bracket that closes the one at a place; quoted parts are skipped. */
function endOfBracket(text: string, start: number): number {
  let depth = 0;
  let quote: string | undefined;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (quote !== undefined) {
      if (char === '\\') at += 1;
      else if (char === quote) quote = undefined;
    } else if (char === "'" || char === '"') quote = char;
    else if (char === '[') depth += 1;
    else if (char === ']') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  throw new PathError(`Could not parse token starting at position ${start + 1}. Expected ?, ', 0-9, * `);
}

function readBracket(content: string): Step {
  if (content === '*') return { kind: 'wildcard' };
  if (content.startsWith('?'))
    return { kind: 'filter', test: parseFilter(content.slice(1).trim(), parseJsonPath, readAll) };
  if (/^['"]/.test(content)) return { kind: 'members', names: readQuoted(content) };
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(content)) return { kind: 'items', indexes: content.split(',').map(Number) };
  const slice = /^(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(\d+)?)?$/.exec(content);
  if (!slice) throw new PathError(`Could not parse token [${content}]. Expected ?, ', 0-9, * `);
  const number = (part: string | undefined) => (part === undefined ? undefined : Number(part));
  return { kind: 'slice', from: number(slice[1]), to: number(slice[2]), by: number(slice[3]) ?? 1 };
}

/** Names in quotes with commas between them. A backslash takes only a quote or itself away. */
function readQuoted(content: string): string[] {
  const names: string[] = [];
  const pattern = /\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*(,|$)/gsy;
  while (pattern.lastIndex < content.length) {
    const match = pattern.exec(content);
    if (!match) throw new PathError(`Property has not been closed - missing closing quote: ${content}`);
    const quote = match[1] === undefined ? '"' : "'";
    names.push((match[1] ?? match[2] ?? '').replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\'));
  }
  return names;
}

function isSingle(step: Step): boolean {
  if (step.kind === 'members') return step.names.length === 1;
  return step.kind === 'function' || (step.kind === 'items' && step.indexes.length === 1);
}

/**
 * Reads what a path leads to.
 * @returns one value for a definite path, a list for any other
 * @throws PathError where a definite path leads nowhere, in the words of AWS
 */
export function readJsonPath({ steps, isDefinite }: JsonPath, root: Json): Json {
  if (!isDefinite) {
    const last = steps.at(-1);
    const called = last?.kind === 'function' ? functions[last.name] : undefined;
    return called
      ? called(readAll({ steps: steps.slice(0, -1), isDefinite }, root))
      : readAll({ steps, isDefinite }, root);
  }
  let value = root;
  for (const [index, step] of steps.entries()) {
    const [found] = follow(step, value, root);
    if (found === undefined) {
      const place = describe(steps.slice(0, index + 1));
      throw new PathError(
        index === steps.length - 1 ? `No results for path: ${place}` : `Missing property in path ${place}`,
      );
    }
    value = found;
  }
  return value;
}

/** True if a definite path ends at an index behind the end of a list: AWS reads null there in a payload template. */
export function endsBehindList({ steps, isDefinite }: JsonPath, root: Json): boolean {
  if (!isDefinite || steps.at(-1)?.kind !== 'items') return false;
  return Array.isArray(readAll({ steps: steps.slice(0, -1), isDefinite }, root)[0]);
}

/** Everything that a path leads to. */
function readAll({ steps }: JsonPath, root: Json): Json[] {
  let values: Json[] = [root];
  for (const step of steps) values = values.flatMap((value) => follow(step, value, root));
  return values;
}

function follow(step: Step, value: Json, root: Json): Json[] {
  switch (step.kind) {
    case 'members':
      return isObject(value)
        ? step.names.flatMap((name) => (Object.hasOwn(value, name) ? [value[name] as Json] : []))
        : [];
    case 'items':
      return Array.isArray(value) ? step.indexes.flatMap((index) => [value.at(index)].filter(isDefined)) : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to).filter((_, index) => index % step.by === 0) : [];
    case 'wildcard':
      return childrenOf(value);
    case 'descendants':
      return [value, ...childrenOf(value).flatMap((child) => follow(step, child, root))];
    case 'filter':
      return (Array.isArray(value) ? value : [value]).filter((item) => step.test(item, root));
    default:
      return [functions[step.name]?.(value) ?? null];
  }
}

function childrenOf(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function isDefined(value: Json | undefined): value is Json {
  return value !== undefined;
}

function numbersOf(value: Json): number[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'number');
}

/** A path as AWS writes it back: `$['a'][0]`. */
function describe(steps: readonly Step[]): string {
  const parts = steps.map((step) => {
    if (step.kind === 'members') return `[${step.names.map((name) => `'${name}'`).join(',')}]`;
    return step.kind === 'items' ? `[${step.indexes.join(',')}]` : `.${step.kind}`;
  });
  return `$${parts.join('')}`;
}

/** The steps of a reference path: members and single items only; undefined for any other path. */
export function referenceSteps({ steps, isDefinite }: JsonPath): (string | number)[] | undefined {
  if (!isDefinite) return undefined;
  const places: (string | number)[] = [];
  for (const step of steps) {
    if (step.kind === 'members') places.push(step.names[0] as string);
    else if (step.kind === 'items') places.push(step.indexes[0] as number);
    else return undefined;
  }
  return places;
}
