import { isEqual, type Json } from '../json.ts';
import type { JsonPath } from './json-path-steps.ts';

type Test = (item: Json, root: Json) => boolean;
type Operand = (item: Json, root: Json) => Json | undefined;

const comparisons: Readonly<Record<string, (one: Json | undefined, other: Json | undefined) => boolean>> = {
  '==': isEqual,
  '!=': (one, other) => !isEqual(one, other),
  '<': (one, other) => order(one, other, (sign) => sign < 0),
  '<=': (one, other) => order(one, other, (sign) => sign <= 0),
  '>': (one, other) => order(one, other, (sign) => sign > 0),
  '>=': (one, other) => order(one, other, (sign) => sign >= 0),
  in: (one, other) => Array.isArray(other) && other.some((item) => isEqual(one, item)),
  nin: (one, other) => !(Array.isArray(other) && other.some((item) => isEqual(one, item))),
};

const token =
  /\s*(\(|\)|&&|\|\||!(?!=)|==|!=|<=|>=|=~|<|>|\b(?:in|nin)\b|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\/(?:\\.|[^/\\])+\/i?|\[[^\]]*\]|[@$](?:\.[\w*-]+|\.\.[\w*-]+|\['[^']*'\]|\[\d+\]|\[\*\])*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

/**
 * Parses a filter of a path: `(@.price < 10 && @.isbn)`.
 * @param parse and `read` of paths, handed in since a filter has paths and a path has filters
 * @throws Error
 */
export function parseFilter(
  text: string,
  parse: (text: string) => JsonPath,
  read: (path: JsonPath, root: Json) => Json[],
): Test {
  const tokens = tokensOf(text);
  let at = 0;
  const take = (expected?: string): string => {
    const next = tokens[at];
    if (next === undefined || (expected !== undefined && next !== expected))
      throw new Error(`Filter ${text} is not valid`);
    at += 1;
    return next;
  };

  const operand = (): Operand => {
    const next = take();
    if (next.startsWith('@') || next.startsWith('$')) {
      const path = parse(next.slice(1));
      return (item, root) => {
        const found = read(path, next.startsWith('@') ? item : root);
        return path.isDefinite ? found[0] : found;
      };
    }
    const value = literal(next, text);
    return () => value;
  };
  const comparison = (): Test => {
    const left = operand();
    const operator = tokens[at];
    if (operator === '=~') {
      at += 1;
      const [, source = '', flags = ''] = /^\/(.*)\/(i?)$/s.exec(take()) ?? [];
      const pattern = new RegExp(`^(?:${source})$`, flags);
      return (item, root) => {
        const value = left(item, root);
        return typeof value === 'string' && pattern.test(value);
      };
    }
    const compare = operator === undefined ? undefined : comparisons[operator];
    if (!compare) return (item, root) => left(item, root) !== undefined;
    at += 1;
    const right = operand();
    return (item, root) => compare(left(item, root), right(item, root));
  };
  const unary = (): Test => {
    if (tokens[at] === '!') {
      at += 1;
      const test = unary();
      return (item, root) => !test(item, root);
    }
    if (tokens[at] !== '(') return comparison();
    take('(');
    const test = either();
    take(')');
    return test;
  };
  const both = (): Test => {
    let test = unary();
    while (tokens[at] === '&&') {
      at += 1;
      const [one, other] = [test, unary()];
      test = (item, root) => one(item, root) && other(item, root);
    }
    return test;
  };
  const either = (): Test => {
    let test = both();
    while (tokens[at] === '||') {
      at += 1;
      const [one, other] = [test, both()];
      test = (item, root) => one(item, root) || other(item, root);
    }
    return test;
  };
  const test = either();
  if (at !== tokens.length) throw new Error(`Filter ${text} is not valid`);
  return test;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (!match) throw new Error(`Filter ${text} is not valid`);
    tokens.push(match[1] as string);
  }
  return tokens;
}

function literal(text: string, filter: string): Json {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("\\'", "'").replaceAll('\\\\', '\\');
  try {
    return JSON.parse(text.startsWith('[') ? text.replaceAll("'", '"') : text) as Json;
  } catch {
    throw new Error(`Filter ${filter} is not valid`);
  }
}

function order(one: Json | undefined, other: Json | undefined, accept: (sign: number) => boolean): boolean {
  const isComparable =
    (typeof one === 'number' && typeof other === 'number') || (typeof one === 'string' && typeof other === 'string');
  if (!isComparable) return false;
  return accept(one === other ? 0 : (one as number) < (other as number) ? -1 : 1);
}
