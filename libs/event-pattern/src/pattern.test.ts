import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventFields } from './event-fields.ts';
import { JsonObject, parseJson } from './json-document.ts';
import { compilePattern, EventPattern } from './pattern.ts';

/** Pattern and event as JSON text, so that number literals and duplicate names arrive as written. */
function matchesText(pattern: string, event: string): boolean {
  const document = parseJson(event);
  if (!(document instanceof JsonObject)) throw new Error('the event must be an object');
  return new EventPattern(pattern).matches(new EventFields(document));
}

describe('one field', () => {
  test.each<[string, string, boolean]>([
    // Exact values
    ['["paid"]', '"paid"', true],
    ['["paid", "sent"]', '"sent"', true],
    ['["paid"]', '"Paid"', false],
    ['["1"]', '1', false],
    ['[null]', 'null', true],
    ['[null]', '"null"', false],
    ['[true]', 'true', true],
    ['[false]', 'true', false],
    ['[250]', '2.50e2', true],
    ['[2.5]', '2.500', true],
    ['[100000000000000000001]', '100000000000000000001', true],
    ['[100000000000000000001]', '100000000000000000002', false],
    ['["fe80::1"]', '"FE80:0:0:0:0:0:0:1"', true],
    ['["10.0.0.1"]', '"10.0.0.2"', false],
    ['["0.0.0.1"]', '"::1"', false],
    ['[{"exactly":"paid"}]', '"paid"', true],
    // Prefix and suffix
    ['[{"prefix":"ord-"}]', '"ord-7"', true],
    ['[{"prefix":"ord-"}]', '"an ord-7"', false],
    ['[{"prefix":"1"}]', '12', false],
    ['[{"prefix":""}]', '"anything"', true],
    ['[{"suffix":".png"}]', '"a.png"', true],
    ['[{"suffix":".png"}]', '"a.png.txt"', false],
    ['[{"prefix":{"equals-ignore-case":"ORD"}}]', '"Order"', true],
    ['[{"prefix":{"equals-ignore-case":"ORD"}}]', '"Word"', false],
    ['[{"suffix":{"equals-ignore-case":".PnG"}}]', '"a.pNg"', true],
    ['[{"suffix":{"equals-ignore-case":".PnG"}}]', '"axpng"', false],
    // Letter case
    ['[{"equals-ignore-case":"Été"}]', '"éTÉ"', true],
    ['[{"equals-ignore-case":"a.c"}]', '"abc"', false],
    ['[{"equals-ignore-case":"straße"}]', '"STRASSE"', true],
    ['[{"equals-ignore-case":"abc"}]', '"abcd"', false],
    // Wildcards
    ['[{"wildcard":"*.example.*"}]', '"www.example.org"', true],
    ['[{"wildcard":"a*a"}]', '"a"', false],
    ['[{"wildcard":"a*b*c"}]', '"a-c-b"', false],
    ['[{"wildcard":"*"}]', '""', true],
    ['[{"wildcard":"1*"}]', '12', false],
    ['[{"wildcard":"5 \\\\* 3"}]', '"5 * 3"', true],
    ['[{"wildcard":"5 \\\\* 3"}]', '"5 x 3"', false],
    ['[{"wildcard":"C:\\\\\\\\*"}]', '"C:\\\\temp"', true],
    // Anything but
    ['[{"anything-but":"paid"}]', '"sent"', true],
    ['[{"anything-but":"paid"}]', '"paid"', false],
    ['[{"anything-but":["paid","sent"]}]', '"sent"', false],
    ['[{"anything-but":["paid","sent"]}]', '5', true],
    ['[{"anything-but":[1,2]}]', '2.0', false],
    ['[{"anything-but":[1,2]}]', '"2"', true],
    ['[{"anything-but":[1,2]}]', 'null', true],
    ['[{"anything-but":{"prefix":"a"}}]', '"abc"', false],
    ['[{"anything-but":{"prefix":["a","b"]}}]', '"bcd"', false],
    ['[{"anything-but":{"prefix":["a","b"]}}]', '"cde"', true],
    ['[{"anything-but":{"suffix":"c"}}]', '"abc"', false],
    ['[{"anything-but":{"suffix":["x","c"]}}]', '"abd"', true],
    ['[{"anything-but":{"equals-ignore-case":["ABC","d"]}}]', '"abc"', false],
    ['[{"anything-but":{"equals-ignore-case":"ABC"}}]', '"abd"', true],
    ['[{"anything-but":{"wildcard":["*/x/*","y*"]}}]', '"a/x/b"', false],
    ['[{"anything-but":{"wildcard":"*/x/*"}}]', 'false', true],
    // Numbers
    ['[{"numeric":["=",3.5]}]', '35e-1', true],
    ['[{"numeric":["=",3.5]}]', '"3.5"', false],
    ['[{"numeric":["<",0]}]', '-0.000001', true],
    ['[{"numeric":["<=",0]}]', '0', true],
    ['[{"numeric":[">",0]}]', '0', false],
    ['[{"numeric":[">=",1e12]}]', '1000000000000', true],
    ['[{"numeric":[">",0,"<=",5]}]', '5', true],
    ['[{"numeric":[">=",0,"<",5]}]', '5', false],
    // Addresses
    ['[{"cidr":"10.1.0.0/16"}]', '"10.1.255.255"', true],
    ['[{"cidr":"10.1.0.0/16"}]', '"10.2.0.0"', false],
    ['[{"cidr":"10.1.0.0/16"}]', '"10.1"', false],
    ['[{"cidr":"10.1.0.0/16"}]', '"10.1.0.256"', false],
    ['[{"cidr":"0.0.0.0/0"}]', '"255.255.255.255"', true],
    ['[{"cidr":"0.0.0.0/0"}]', '"::1"', false],
    ['[{"cidr":"fd00::/8"}]', '"fdff:1::2"', true],
    ['[{"cidr":"fd00::/8"}]', '"fe00::"', false],
    ['[{"cidr":"192.0.2.0/24"}]', '"::ffff:c000:0201"', true],
    // Presence: only scalars are there
    ['[{"exists":true}]', 'null', true],
    ['[{"exists":true}]', '{}', false],
    ['[{"exists":true}]', '[]', false],
    ['[{"exists":true}]', '{"b":1}', false],
    ['[{"exists":false}]', '{"b":1}', true],
    ['[{"exists":false}]', '""', false],
    ['[{"exists":false},"none"]', '"none"', true],
    // Arrays: any element
    ['["x"]', '["y","x"]', true],
    ['["x"]', '[["y"],["x"]]', true],
    ['[{"anything-but":"x"}]', '["x","y"]', true],
    ['[{"anything-but":"x"}]', '["x"]', false],
  ])('%s on %s: %s', (requirement, value, expected) => {
    expect(matchesText(`{"a":${requirement}}`, `{"a":${value}}`)).toBe(expected);
  });

  test.each<[string, boolean]>([
    ['[{"exists":false}]', true],
    ['[{"exists":true}]', false],
    ['[{"anything-but":"x"}]', false],
    ['[null]', false],
    ['["x",{"exists":false}]', true],
  ])('%s on an event without the field: %s', (requirement, expected) => {
    expect(matchesText(`{"a":${requirement}}`, '{"b":1}')).toBe(expected);
  });
});

describe('several fields', () => {
  test.each<[string, string, string, boolean]>([
    ['all must hold', '{"a":["x"],"b":{"c":[1]}}', '{"a":"x","b":{"c":1}}', true],
    ['all must hold', '{"a":["x"],"b":{"c":[1]}}', '{"a":"x","b":{"c":2}}', false],
    ['a dot in a name is a step', '{"a.b":[1]}', '{"a":{"b":1}}', true],
    ['a dot in a name is a step', '{"a":{"b":[1]}}', '{"a.b":1}', true],
    ['the last of two equal names in a pattern', '{"a":["x"],"a":["y"]}', '{"a":"x"}', false],
    ['every one of two equal names in an event', '{"a":["x"]}', '{"a":"x","a":"y"}', true],
    ['$or at the root', '{"$or":[{"a":[1]},{"b":[2]}]}', '{"b":2}', true],
    ['$or at the root', '{"$or":[{"a":[1]},{"b":[2]}]}', '{"a":2,"b":1}', false],
    ['$or beside a field', '{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}', '{"s":"y","b":2}', false],
    ['$or below a field', '{"d":{"$or":[{"a":[1]},{"b":[2]}]}}', '{"d":{"a":1}}', true],
    ['$or inside $or', '{"$or":[{"a":[1],"$or":[{"b":[1]},{"c":[1]}]},{"d":[1]}]}', '{"a":1,"c":1}', true],
    ['$or inside $or', '{"$or":[{"a":[1],"$or":[{"b":[1]},{"c":[1]}]},{"d":[1]}]}', '{"a":1}', false],
    ['two $or', '{"x":{"$or":[{"a":[1]},{"b":[1]}]},"$or":[{"c":[1]},{"d":[1]}]}', '{"x":{"b":1},"c":1}', true],
    ['two $or', '{"x":{"$or":[{"a":[1]},{"b":[1]}]},"$or":[{"c":[1]},{"d":[1]}]}', '{"x":{"b":1}}', false],
  ])('%s: %s on %s', (_rule, pattern, event, expected) => {
    expect(matchesText(pattern, event)).toBe(expected);
  });
});

describe('array consistency', () => {
  const order = {
    id: 'o-1',
    lines: [
      { sku: 'A', quantity: 1, gifts: [{ name: 'card', color: 'red' }] },
      {
        sku: 'B',
        quantity: 2,
        gifts: [
          { name: 'bow', color: 'red' },
          { name: 'card', color: 'blue' },
        ],
      },
      { sku: 'C', tags: ['cold', 'heavy'], note: 'last' },
    ],
    payments: [{ kind: 'card', amount: 5 }],
  };

  test.each<[string, object, boolean]>([
    ['fields of one element', { lines: { sku: ['B'], quantity: [2] } }, true],
    ['fields of different elements', { lines: { sku: ['A'], quantity: [2] } }, false],
    ['an element and a field outside', { id: ['o-1'], lines: { sku: ['C'] } }, true],
    ['independent arrays', { lines: { sku: ['C'] }, payments: { kind: ['card'] } }, true],
    [
      'independent arrays, each consistent',
      { lines: { sku: ['C'] }, payments: { kind: ['card'], amount: [6] } },
      false,
    ],
    ['an array in the same element', { lines: { sku: ['B'], gifts: { name: ['card'], color: ['blue'] } } }, true],
    ['an array in another element', { lines: { sku: ['A'], gifts: { name: ['card'], color: ['blue'] } } }, false],
    ['elements of an array of an element', { lines: { sku: ['B'], gifts: { name: ['bow'], color: ['blue'] } } }, false],
    ['scalars of an array need not be the same one', { lines: { tags: ['cold', 'x'], note: ['last'] } }, true],
    ['absent in the chosen element', { lines: { sku: ['C'], unit: [{ exists: false }] } }, true],
    ['absent there, present elsewhere', { lines: { note: ['last'], quantity: [{ exists: false }] } }, true],
    ['absence is judged by the conditions before it', { lines: { quantity: [{ exists: false }], sku: ['C'] } }, false],
    ['absent or a value', { lines: { note: ['last'], quantity: [2, { exists: false }] } }, true],
    [
      'present in the chosen element',
      { lines: { sku: ['B'], tags: [{ exists: false }], quantity: [{ exists: true }] } },
      true,
    ],
  ])('%s', (_name, pattern, expected) => {
    expect(compilePattern(pattern)(order)).toBe(expected);
  });

  test('is the same as trying every combination of fields', () => {
    const leaf = fc.constantFrom('x', 'y');
    const { event } = fc.letrec<{ event: object; node: unknown }>((tie) => ({
      event: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
      node: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('node'), { maxLength: 3 }), tie('event')),
    }));
    const path = fc.constantFrom('a', 'b', 'c', 'a.a', 'a.b', 'a.c', 'b.a', 'b.b', 'a.b.a', 'a.b.b', 'a.a.b');
    const requirement = fc.constantFrom(
      ['x'],
      ['y'],
      [{ exists: true }],
      [{ exists: false }],
      ['x', { exists: false }],
    );
    fc.assert(
      fc.property(event, fc.dictionary(path, requirement, { minKeys: 1, maxKeys: 4 }), (tree, pattern) => {
        expect(compilePattern(pattern)(JSON.parse(JSON.stringify(tree)))).toBe(matchesByTryingAll(pattern, tree));
      }),
      { numRuns: 2000 },
    );
  });

  test('takes no more than a moment on arrays that have nothing to do with each other', () => {
    const names = [...'abcdefgh'];
    const elements = Array.from({ length: 1000 }, (_, index) => ({ p: index, q: index + 1 }));
    const event = Object.fromEntries(names.map((name) => [name, elements]));
    const pattern = Object.fromEntries(names.map((name) => [name, { p: [{ exists: true }], q: [{ exists: true }] }]));
    const started = performance.now();
    expect(compilePattern({ ...pattern, z: [{ exists: false }] })(event)).toBe(true);
    expect(compilePattern({ ...pattern, h: { p: [1], q: [1] } })(event)).toBe(false);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test('wildcards agree with the regular expression they stand for', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', '*');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }),
      (parts, letters) => {
        const wildcard = parts.join('').replace(/\*+/g, '*');
        const text = letters.join('');
        const expected = new RegExp(`^${wildcard.replaceAll('*', '.*')}$`).test(text);
        expect([wildcard, text, compilePattern({ a: [{ wildcard }] })({ a: text })]).toEqual([
          wildcard,
          text,
          expected,
        ]);
      },
    ),
    { numRuns: 2000 },
  );
});

test('many wildcards take no more than a moment', () => {
  const started = performance.now();
  expect(compilePattern({ a: [{ wildcard: `${'*a'.repeat(50)}*b` }] })({ a: 'a'.repeat(200_000) })).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

test.each(['text', 5, null, ['x']])('an event that is no object matches nothing: %j', (event) => {
  expect(compilePattern('{"a":[{"exists":false}]}')(event)).toBe(false);
});

describe('a pattern that is not valid', () => {
  test.each<[string, RegExp]>([
    ['', /Unexpected end/],
    ['{"a":[1]} x', /Unexpected character/],
    ['[]', /not an object/],
    ['{}', /Empty objects/],
    ['{"a":{}}', /Empty objects/],
    ['{"a":[]}', /Empty arrays/],
    ['{"a":"x"}', /"a" must be an object or an array/],
    ['{"a":null}', /must be an object or an array/],
    ['{"a":[[1]]}', /Match value must be/],
    ['{"a":[{}]}', /Match expression name not found/],
    ['{"a":[{"prefix":"x","suffix":"y"}]}', /Only one key/],
    ['{"a":[{"regex":"x"}]}', /Unrecognized match type regex/],
    ['{"a":[{"prefix":1}]}', /prefix match pattern must be a string/],
    ['{"a":[{"suffix":{"wildcard":"x"}}]}', /Unsupported suffix/],
    ['{"a":[{"exists":"yes"}]}', /either true or false/],
    ['{"a":[{"wildcard":"a**b"}]}', /Consecutive wildcard characters at pos 1/],
    ['{"a":[{"wildcard":"a\\\\x"}]}', /Invalid escape character at pos 1/],
    ['{"a":[{"anything-but":[]}]}', /Empty arrays/],
    ['{"a":[{"anything-but":[1,"x"]}]}', /either strings or numbers/],
    ['{"a":[{"anything-but":null}]}', /either strings or numbers/],
    ['{"a":[{"anything-but":{"prefix":""}}]}', /Null prefix/],
    ['{"a":[{"anything-but":{"numeric":["=",1]}}]}', /must be a string|Unsupported/],
    ['{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}', /Unsupported anything-but pattern: cidr/],
    ['{"a":[{"numeric":"=1"}]}', /must be an array/],
    ['{"a":[{"numeric":[]}]}', /must be numeric/],
    ['{"a":[{"numeric":["~",1]}]}', /Unrecognized numeric range operator/],
    ['{"a":[{"numeric":["=","1"]}]}', /must be numeric/],
    ['{"a":[{"numeric":["<",1,">",0]}]}', /Too many elements/],
    ['{"a":[{"numeric":["=",1,"<",2]}]}', /Too many elements/],
    ['{"a":[{"numeric":[">",0,"<",1,"<",2]}]}', /Too many elements/],
    ['{"a":[{"numeric":[">",0,">",1]}]}', /Bad numeric range operator/],
    ['{"a":[{"numeric":[">",1,"<",1]}]}', /Bottom must be less than top/],
    ['{"a":[{"numeric":["=",1e400]}]}', /Cannot compare number : 1e400/],
    ['{"a":[{"cidr":"10.0.0.0"}]}', /Malformed CIDR/],
    ['{"a":[{"cidr":"10.0.0.0/32"}]}', /mask bits must be < 32/],
    ['{"a":[{"cidr":"localhost/8"}]}', /Nonstandard IP address: localhost/],
    ['{"a":[{"cidr":"1::2::3/8"}]}', /Nonstandard IP address/],
    ['{"$or":{"a":[1]}}', /must be an Array/],
    ['{"$or":[{"a":[1]}]}', /at least 2/],
    ['{"$or":[{"a":[1]},"b"]}', /Only JSON object/],
    ['{"$or":[{"a":[1]},{"prefix":["x"]}]}', /prefix cannot be used as a field name inside \$or/],
  ])('%s', (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(
      expect.objectContaining({ code: 'InvalidEventPatternException', message: expect.stringMatching(reason) }),
    );
  });

  test('more than 1,000 combinations of $or', () => {
    const or = Array.from({ length: 11 }, (_, index) => ({ [`a${index}`]: [1] }));
    expect(() => compilePattern({ x: { $or: or }, y: { $or: or }, z: { $or: or } })).toThrow(
      'more than 1000 combinations',
    );
  });
});

/** Array consistency as it is defined, without any economy: every choice of fields, one after the other. */
function matchesByTryingAll(pattern: Record<string, readonly unknown[]>, event: unknown): boolean {
  const fields: { path: string; value: unknown; elements: Map<number, number> }[] = [];
  let arrays = 0;
  const collect = (node: unknown, path: string, elements: Map<number, number>) => {
    if (Array.isArray(node)) {
      const array = arrays;
      arrays += 1;
      node.forEach((item, index) => {
        collect(item, path, typeof item === 'object' ? new Map([...elements, [array, index]]) : elements);
      });
    } else if (typeof node === 'object' && node !== null) {
      for (const [name, value] of Object.entries(node))
        collect(value, path === '' ? name : `${path}.${name}`, elements);
    } else fields.push({ path, value: node, elements });
  };
  collect(event, '', new Map());

  const agree = (one: Map<number, number>, other: Map<number, number>) =>
    [...one].every(([array, index]) => (other.get(array) ?? index) === index);
  const paths = Object.keys(pattern).sort();
  const tryFrom = (index: number, chosen: Map<number, number>): boolean => {
    const path = paths[index];
    if (path === undefined) return true;
    const reachable = fields.filter((field) => field.path === path && agree(field.elements, chosen));
    return (pattern[path] ?? []).some((choice) => {
      if (JSON.stringify(choice) === '{"exists":false}') return reachable.length === 0 && tryFrom(index + 1, chosen);
      return reachable
        .filter(({ value }) => typeof choice === 'object' || value === choice)
        .some(({ elements }) => tryFrom(index + 1, new Map([...chosen, ...elements])));
    });
  };
  return tryFrom(0, new Map());
}
