import { type PatternReader, regularExpression, unquoted } from './pattern-reader.ts';

/** Whether a value of a message meets a condition. */
export type ValueTest = (value: unknown) => boolean;

const OPERATOR = /\s*(!=|<=|>=|=|<|>)\s*/y;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads an operator and a value: a number, a text with `*` for anything, or `%regular expression%`.
 *
 * @param word what a text without quotes may be made of; sticky
 * @returns undefined when no operator is here
 * @throws AwsError InvalidParameterException
 */
export function readComparison(reader: PatternReader, word: RegExp): ValueTest | undefined {
  const [, operator] = reader.take(OPERATOR) ?? [];
  if (operator === undefined) return undefined;
  const isEqual = readValue(reader, word, operator);
  return operator === '!=' ? (value) => isComparable(value) && !isEqual(value) : isEqual;
}

function readValue(reader: PatternReader, word: RegExp, operator: string): ValueTest {
  const [, expression] = reader.take(/%((?:[^%\\]|\\.)+)%/y) ?? [];
  if (expression !== undefined) {
    const regex = regularExpression(expression);
    return (value) => isComparable(value) && regex.test(String(value));
  }
  const [quoted] = reader.take(/"(?:[^"\\]|\\.)*"/y) ?? [];
  if (quoted !== undefined) return textTest(unquoted(quoted));
  const [text] = reader.take(word) ?? [];
  if (text === undefined || text === '') throw reader.unexpected();
  const isNumber = NUMBER.test(text);
  if (operator === '=' || operator === '!=') {
    const isText = textTest(text);
    return isNumber ? (value) => numberOf(value) === Number(text) || isText(value) : isText;
  }
  if (!isNumber) throw reader.unexpected();
  const bound = Number(text);
  return (value) => {
    const number = numberOf(value);
    if (number === undefined) return false;
    switch (operator) {
      case '<':
        return number < bound;
      case '<=':
        return number <= bound;
      case '>':
        return number > bound;
      default:
        return number >= bound;
    }
  };
}

function textTest(text: string): ValueTest {
  const pattern = text
    .split('*')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('.*');
  const regex = new RegExp(`^${pattern}$`, 's');
  return (value) => isComparable(value) && regex.test(String(value));
}

/** A selector that points to an array or an object does not match. */
function isComparable(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined;
}
