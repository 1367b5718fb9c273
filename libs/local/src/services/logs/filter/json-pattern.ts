import { readComparison, type ValueTest } from './comparison.ts';
import { PatternReader } from './pattern-reader.ts';

type Test = (document: unknown) => boolean;
/** A member's name, an index, or all of them. */
type Step = string | number | typeof EVERY;

const EVERY = Symbol('every');
const WORD = /[\w\p{L}\p{N}.*+-]+/uy;
const KEYWORD = /\s+(IS\s+(NULL|TRUE|FALSE)|NOT\s+EXISTS)(?![\w])/y;
const CONSTANTS: Readonly<Record<string, unknown>> = { NULL: null, TRUE: true, FALSE: false };

/** `{ $.user.id = 1 && ($.level = "ERROR" || $.error NOT EXISTS) }` */
export function parseJsonPattern(text: string): (message: string) => boolean {
  const reader = new PatternReader(text);
  reader.expect('{');
  const test = readOr(reader);
  reader.expect('}');
  reader.skipSpace();
  if (!reader.isAtEnd) throw reader.unexpected();
  return (message) => {
    const document = parse(message);
    return document !== undefined && test(document);
  };
}

function parse(message: string): unknown {
  // Most lines that are not JSON are told from it by the first character.
  if (!/^\s*[{[]/.test(message)) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function readOr(reader: PatternReader): Test {
  const tests = [readAnd(reader)];
  while (reader.takeMark('||')) tests.push(readAnd(reader));
  return (document) => tests.some((test) => test(document));
}

function readAnd(reader: PatternReader): Test {
  const tests = [readCondition(reader)];
  while (reader.takeMark('&&')) tests.push(readCondition(reader));
  return (document) => tests.every((test) => test(document));
}

function readCondition(reader: PatternReader): Test {
  if (reader.takeMark('(')) {
    const test = readOr(reader);
    reader.expect(')');
    return test;
  }
  const steps = readSelector(reader);
  const [keyword, , constant] = reader.take(KEYWORD) ?? [];
  if (constant !== undefined) return anyOf(steps, (value) => value === CONSTANTS[constant]);
  if (keyword !== undefined) return (document) => select(document, steps).length === 0;
  const test = readComparison(reader, WORD);
  if (!test) throw reader.unexpected();
  return anyOf(steps, test);
}

function anyOf(steps: readonly Step[], test: ValueTest): Test {
  return (document) => select(document, steps).some(test);
}

function readSelector(reader: PatternReader): Step[] {
  reader.expect('$');
  const steps: Step[] = [];
  for (let step = readStep(reader); step !== undefined; step = readStep(reader)) steps.push(step);
  if (steps.length === 0) throw reader.unexpected();
  return steps;
}

function readStep(reader: PatternReader): Step | undefined {
  const [, quoted, index, name] = reader.take(/\.?\[(?:'([^']*)'|"[^"]*"|(\d+|\*))\]|\.([\w\p{L}\p{N}-]+|\*)/uy) ?? [];
  if (quoted !== undefined) return quoted;
  if (index === '*' || name === '*') return EVERY;
  return index === undefined ? name : Number(index);
}

/** The values that a selector points to. */
function select(document: unknown, steps: readonly Step[]): unknown[] {
  let values = [document];
  for (const step of steps) {
    values = values.flatMap((value) => {
      if (typeof value !== 'object' || value === null) return [];
      if (step === EVERY) return Object.values(value);
      return Object.hasOwn(value, step) ? [(value as Record<string | number, unknown>)[step]] : [];
    });
  }
  return values;
}
