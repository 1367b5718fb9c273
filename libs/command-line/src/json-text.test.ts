import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { jsonText } from './json-text.ts';

test.each([
  ['C1 control', '\u009b31m'],
  ['C0 control', '\u001b[31m'],
  ['DEL', '\u007f'],
  ['bidi override', '\u202e'],
  ['zero-width character', '\u200b'],
  ['line separator', '\u2028'],
  ['tag character beyond 16 bits', '\u{e0041}'],
])('JSON with a %s is printed without it, and says the same', (_, character) => {
  const value = { [`key ${character}`]: [`a${character}b`, 'Zoë 😀', { nested: character }] };

  for (const text of [jsonText(value), jsonText(value, 2)]) {
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toContain('Zoë 😀');
  }
});

test('JSON is indented when that is asked for', () => {
  expect(jsonText({ a: [1, 'x\ny'] }, 2)).toBe('{\n  "a": [\n    1,\n    "x\\ny"\n  ]\n}');
});

test('every command prints its JSON so', () => {
  const scripts = new URL('../../../scripts/', import.meta.url);
  const printing = readdirSync(scripts, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      /(console\.log|stdout\.write)\([^;]*JSON\.stringify/.test(readFileSync(new URL(file, scripts), 'utf8')),
    );

  expect(printing).toEqual([]);
});
