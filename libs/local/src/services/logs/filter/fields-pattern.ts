import { readComparison, type ValueTest } from './comparison.ts';
import { PatternReader } from './pattern-reader.ts';

/** Brackets and quotes hold a field together. */
const FIELD = /\[([^\]]*)\]|"([^"]*)"|(\S+)/g;
const NAME = /\s*([\w$-]+)/y;
const WORD = /[^\s,\]&|]+/y;
const ELLIPSIS = Symbol('any number of fields');

type Place = ValueTest | typeof ELLIPSIS;

/** `[ip, user, ..., status = 4* || status = 500, bytes > 1000]`: fields that are separated by spaces. */
export function parseFieldsPattern(text: string): (message: string) => boolean {
  const places = readPlaces(new PatternReader(text));
  return (message) => {
    const fields = [...message.matchAll(FIELD)].map(([, bracketed, quoted, word]) => bracketed ?? quoted ?? word ?? '');
    return matchPlaces(places, fields);
  };
}

function readPlaces(reader: PatternReader): Place[] {
  reader.expect('[');
  const places: Place[] = [];
  do {
    places.push(reader.takeMark('...') ? ELLIPSIS : readPlace(reader));
  } while (reader.takeMark(','));
  reader.expect(']');
  reader.skipSpace();
  if (!reader.isAtEnd) throw reader.unexpected();
  return places;
}

/** A name, with conditions about it. `&&` binds tighter than `||`. */
function readPlace(reader: PatternReader): ValueTest {
  const alternatives: ValueTest[][] = [];
  do {
    const conditions: ValueTest[] = [];
    do {
      if (!reader.take(NAME)) throw reader.unexpected();
      const test = readComparison(reader, WORD);
      if (!test && (conditions.length > 0 || alternatives.length > 0)) throw reader.unexpected();
      conditions.push(test ?? (() => true));
    } while (reader.takeMark('&&'));
    alternatives.push(conditions);
  } while (reader.takeMark('||'));
  return (value) => alternatives.some((conditions) => conditions.every((test) => test(value)));
}

/** The last place takes what is left when no ellipsis does. */
function matchPlaces(places: readonly Place[], fields: readonly string[]): boolean {
  const ellipsis = places.indexOf(ELLIPSIS);
  const before = (ellipsis < 0 ? places : places.slice(0, ellipsis)) as ValueTest[];
  const after = (ellipsis < 0 ? [] : places.slice(ellipsis + 1)) as ValueTest[];
  if (fields.length < before.length + after.length) return false;
  return (
    before.every((test, index) => test(fields[index])) &&
    after.every((test, index) => test(fields[fields.length - after.length + index]))
  );
}
