import { describe, expect, test } from '@jest/globals';
import { NotUnicodeError, parseEnvelope, parseJson } from './index.ts';

describe('parseJson', () => {
  test.each([
    ['a text', '"\u{1f600} \\ud83d\\ude00 \\\\ud800"', '\u{1f600} \u{1f600} \\ud800'],
    ['members', '{"a":{"b":[1,null,"\\u00e9"]}}', { a: { b: [1, null, 'é'] } }],
  ])('reads %s', (_, text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test.each([
    ['a text', '"\\ud800"'],
    ['a text with the halves in the wrong order', '"\\ude00\\uD83D"'],
    ['a member', '{"a":[{"b":"x\\uDFFFy"}]}'],
    ['a name', '{"\\udbff":1}'],
    ['10,000 levels', `${'['.repeat(10_000)}"\\ud800"${']'.repeat(10_000)}`],
  ])('refuses half of a surrogate pair in %s', (_, text) => {
    expect(() => parseJson(text)).toThrow(NotUnicodeError);
  });

  test('refuses what is no JSON', () => {
    expect(() => parseJson('{')).toThrow(SyntaxError);
  });
});

test('an event with such a text is malformed', () => {
  expect(() => parseEnvelope('{"id":"\\ud800"}')).toThrow(
    'Not an event: the body contains a string that is not valid Unicode',
  );
});
