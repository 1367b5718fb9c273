import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  JsonArray,
  type JsonNode,
  JsonNumber,
  JsonObject,
  type JsonValue,
  jsonText,
  parseJson,
} from './json-document.ts';

function plain(node: JsonNode): JsonValue {
  if (node instanceof JsonObject) return Object.fromEntries(node.members.map(([name, value]) => [name, plain(value)]));
  if (node instanceof JsonArray) return node.items.map(plain);
  return node instanceof JsonNumber ? Number(node.text) : node;
}

describe('parseJson', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value = JSON.parse(text);
        expect(plain(parseJson(JSON.stringify(value, null, indent)))).toEqual(value);
      }),
    );
  });

  test('accepts exactly the texts that JSON.parse accepts', () => {
    const isJson = (text: string, parse: (text: string) => unknown) => {
      try {
        parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const scraps = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '\\',
      '1',
      '-',
      '.5',
      'e1',
      '0',
      'true',
      'nul',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        expect([text, isJson(text, parseJson)]).toEqual([text, isJson(text, JSON.parse)]);
      }),
      { numRuns: 3000 },
    );
  });

  test.each(['', '{', '[1,]', '{"a":1,}', '"a\nb"', '"\\x"', '01', '+1', '1.', 'nulll', '{} {}', "{'a':1}", '"a'])(
    'refuses %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  test('refuses nesting deeper than 1,000 levels instead of running out of stack', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow('Nested deeper than 1000 levels');
  });

  test('keeps the text of containers and numbers', () => {
    const text = '{"a": [1.10, {"b" :3e2}],"c":"\\u00e9"}';
    const document = parseJson(text);
    if (!(document instanceof JsonObject)) throw new Error('not an object');
    expect(jsonText(document)).toBe(text);
    expect(document.members.map(([name, value]) => [name, jsonText(value)])).toEqual([
      ['a', '[1.10, {"b" :3e2}]'],
      ['c', '"é"'],
    ]);
  });
});

describe('JsonNumber.exact', () => {
  test.each([
    ['1.10', 1.1],
    ['3.0e2', 300],
    ['-0.0', -0],
    ['0.30000000000000004', 0.30000000000000004],
    ['12300e-2', 123],
    ['1E-7', 1e-7],
    ['9007199254740992', 2 ** 53],
  ])('%s is %d', (text, value) => {
    expect(new JsonNumber(text).exact === value).toBe(true);
  });

  test.each(['9007199254740993', '1e400', '-1e400', '1e-400', '0.30000000000000004001'])('no double is %s', (text) => {
    expect(new JsonNumber(text).exact).toBeUndefined();
  });
});
