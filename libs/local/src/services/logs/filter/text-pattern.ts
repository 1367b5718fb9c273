import { PatternReader, regularExpression, unquoted } from './pattern-reader.ts';

type Test = (message: string) => boolean;

/** `"quoted"`, `%regular expression%` or a word. */
const TERM = /([?-]?)(?:("(?:[^"\\]|\\.)*")|%((?:[^%\\]|\\.)+)%|([\w\p{L}\p{N}]+))(?=\s|$)/uy;

/** Terms: all must be in the message, those with a minus must not; of those with a question mark one is enough. */
export function parseTextPattern(text: string): Test {
  const reader = new PatternReader(text);
  const included: Test[] = [];
  const excluded: Test[] = [];
  const optional: Test[] = [];
  for (reader.skipSpace(); !reader.isAtEnd; reader.skipSpace()) {
    const match = reader.take(TERM);
    if (!match) {
      // The character that is not allowed comes after those that are.
      reader.take(/[?-]?[\w\p{L}\p{N}]*/uy);
      throw reader.unexpected();
    }
    const [, prefix] = match;
    (prefix === '-' ? excluded : prefix === '?' ? optional : included).push(testOf(match));
  }
  const isOptional = included.length === 0 && excluded.length === 0 && optional.length > 0;
  return (message) =>
    included.every((test) => test(message)) &&
    !excluded.some((test) => test(message)) &&
    // Beside other terms the optional ones have no effect.
    (!isOptional || optional.some((test) => test(message)));
}

function testOf([, , quoted, expression, word = '']: RegExpExecArray): Test {
  if (expression !== undefined) {
    const regex = regularExpression(expression);
    return (message) => regex.test(message);
  }
  const phrase = quoted === undefined ? word : unquoted(quoted);
  // A space in quotes matches everything.
  if (phrase.trim() === '') return () => true;
  return (message) => message.includes(phrase);
}
