import { PathError } from '../expressions/json-path.ts';
import { compileTypedJsonata, isJsonata } from '../expressions/jsonata.ts';
import { isReferencePath, type PathExpression, parsePath, readPath } from '../expressions/path-expression.ts';
import { RuntimeFailure } from '../failure.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Evaluate } from '../scope.ts';
import type { Diagnostics } from './diagnostics.ts';

/** The fields of an object of a definition, read with their types. What is wrong with them is noted, not thrown. */
export class Fields {
  readonly object: JsonObject;
  readonly location: string;
  readonly diagnostics: Diagnostics;

  constructor(object: JsonObject, location: string, diagnostics: Diagnostics) {
    this.object = object;
    this.location = location;
    this.diagnostics = diagnostics;
  }

  has(name: string): boolean {
    return this.object[name] !== undefined;
  }

  at(name: string): string {
    return `${this.location}/${name}`;
  }

  /** Notes fields that are not there. */
  needs(...names: string[]): void {
    const missing = names.filter((name) => !this.has(name));
    if (missing.length > 0) this.diagnostics.add(`These fields are required: [${missing.join(', ')}]`, this.location);
  }

  /** Notes fields that an object of this kind does not have. */
  allow(names: readonly string[], why: string): void {
    for (const name of Object.keys(this.object)) {
      if (!names.includes(name)) this.diagnostics.add(`The field '${name}' is not supported ${why}`, this.at(name));
    }
  }

  /** Notes two fields that exclude each other. @returns the one that is there */
  atMostOne(...names: string[]): string | undefined {
    const given = names.filter((name) => this.has(name));
    if (given.length > 1)
      this.diagnostics.add(`Only one of these fields may be there: [${given.join(', ')}]`, this.location);
    return given[0];
  }

  text(name: string): string | undefined {
    const value = this.object[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    this.#expect(name, 'STRING');
    return undefined;
  }

  /** A whole number that is a constant. */
  integer(name: string, from: number, to = 99_999_999): number | undefined {
    const value = this.object[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value;
    this.#expect(name, `INTEGER from ${from} to ${to}`);
    return undefined;
  }

  /** A path, e.g. of `InputPath`, which may be null. */
  path(name: string): PathExpression | null | undefined {
    const value = this.object[name];
    if (value === undefined || value === null) return value;
    const text = this.text(name);
    return text === undefined ? undefined : this.diagnostics.try(this.at(name), () => parsePath(text));
  }

  /** A path to one place. */
  referencePath(name: string): PathExpression | undefined {
    const path = this.path(name);
    if (path === null) this.#expect(name, 'STRING');
    if (path && !isReferencePath(path)) {
      this.diagnostics.add('Value is not a Reference Path: it must identify a single node', this.at(name));
    }
    return path ?? undefined;
  }

  /** A number: a constant, an expression of JSONata, or a path in a field of its own (`<name>Path`). */
  number(
    name: string,
    { from, to = 99_999_999 }: { from: number; to?: number },
    describePath: DescribePath,
  ): Evaluate<number> | undefined {
    this.atMostOne(name, `${name}Path`);
    const value = this.object[name];
    if (isJsonata(value)) {
      return this.diagnostics.try(this.at(name), () => compileTypedJsonata<number>(value, name, 'number'));
    }
    if (value !== undefined) {
      const constant = this.integer(name, from, to);
      return constant === undefined ? undefined : () => constant;
    }
    const path = this.referencePath(`${name}Path`);
    if (!path) return undefined;
    return (scope) => {
      const found = readField(path, scope);
      if (typeof found === 'number' && Number.isInteger(found) && found >= from && found <= to) return found;
      throw new RuntimeFailure(describePath(`${name}Path`, found, path.text));
    };
  }

  #expect(name: string, expected: string): void {
    this.diagnostics.add(`Expected value of type ${expected}`, this.at(name));
  }
}

export type DescribePath = (field: string, found: Json, path: string) => string;

/** A number that a field does not take, in the words that most fields have. */
export const notLong: DescribePath = (field, found, path) => {
  const isNegative = typeof found === 'number' && Number.isInteger(found) && found < 0;
  const problem = isNegative ? 'references a negative value' : 'cannot be parsed as a long value';
  return `The ${field} parameter ${problem}: ${path} == ${textOf(found)}`;
};

/** A value as messages of AWS show it: text without quotes. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Reads the path of a field.
 * @throws RuntimeFailure
 */
export function readField(path: PathExpression, scope: Parameters<typeof readPath>[1]): Json {
  try {
    return readPath(path, scope);
  } catch (error) {
    if (error instanceof PathError) throw new RuntimeFailure(`Invalid path '${path.text}' : ${error.message}`);
    throw error;
  }
}
