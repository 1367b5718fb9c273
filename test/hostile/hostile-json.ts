import * as fc from 'fast-check';

/** A text that somebody sends where JSON is wanted. */
export interface HostileText {
  /** What is wrong with it. */
  kind: string;
  text: string;
  /** No reader can take it for a JSON object. */
  broken: boolean;
}

type Holder = Record<string | number, unknown>;

/** Stands where a literal is to be written that no value has: `1e999`, ten thousand brackets. */
const MARK = '@@hostile@@';
const DEPTH = 10_000;

const wrongTypes = ['null', 'true', '0', '""', '[]', '{}', '[[]]', '{"a":1}', '"x"', '["x"]'];
const numbers = [
  ...['1e308', '-1e308', '1e999', '-1e999', '5e-324', '-0', '0', '-1', '0.1', '1E+2', '1.0'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '2147483648'],
  '123456789012345678901234567890123456789012345678901234567890',
];
const noNumbers = ['NaN', 'Infinity', '-Infinity', '01', '+1', '1.', '.5', '0x10', '1_000', 'undefined'];
const unusualTexts = [
  // control characters and what ends lines
  ...['\u0000', 'a\u0000b', '\u0007\u001b[31m', '\u007f\u0085', 'a\nb', 'a\r\nset-cookie: x', '\u2028\u2029', '\t'],
  // written backwards, invisible
  ...['\u202eevil\u202c', '\u2066\u2069', '\u200b\u200d\ufeff', '\u00ad'],
  // halves of pairs, no characters, planes above the first
  ...['\ud800', '\udc00\ud800', 'a\udfff', '\ufffe\uffff', '\u{10ffff}', '👩‍👩‍👧‍👦', '𝕳𝖊', 'Z̸̢͖a̷'],
  // other languages' syntax
  ...[
    '../../etc/passwd',
    '%2e%2e%2f',
    "'; DROP TABLE orders; --",
    '<script>alert(1)</script>',
    '$' + '{jndi:ldap://x}',
    '{{7*7}}',
  ],
  ...['__proto__', 'constructor', 'true', 'null', '-1', '1e999', ' ', '#', 'a#b', '%s%n'],
];
const names = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON', 'then', 'length'],
  ...['', ' ', '\u0000', '\ud800', '$ref', '.', 'a.b', '0', '-1', '"', 'x'.repeat(5_000)],
];
const longTexts = [300, 1_100, 2_100, 10_000, 70_000].map((length) => 'x'.repeat(length));

/** Every member and element in a value, from the outside in. */
function placesIn(value: unknown): { holder: Holder; key: string | number }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return keys.flatMap((key) => [{ holder, key }, ...placesIn(holder[key])]);
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inside : [value, ...inside];
}

/** The JSON text of a value with one of its members replaced by a literal. */
function withLiteral(value: unknown, place: number, literal: string): string {
  const copy = structuredClone(value);
  const places = placesIn(copy);
  const { holder, key } = places[place % places.length] ?? {};
  if (holder === undefined || key === undefined) return literal;
  holder[key] = MARK;
  return JSON.stringify(copy).replace(`"${MARK}"`, () => literal);
}

function without(value: unknown, place: number): string {
  const copy = structuredClone(value);
  const places = placesIn(copy);
  const { holder, key } = places[place % places.length] ?? {};
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (holder && key !== undefined) delete holder[key];
  return JSON.stringify(copy);
}

function withMember(value: unknown, place: number, name: string, member: unknown): string {
  const copy = structuredClone(value);
  const objects = objectsIn(copy);
  const object = objects[place % objects.length];
  // An assignment to __proto__ would set the prototype.
  if (object)
    Object.defineProperty(object, name, { value: member, enumerable: true, configurable: true, writable: true });
  return JSON.stringify(copy);
}

/** The text with a name twice: the later one wins, as JSON.parse has it. */
function withDuplicate(text: string, place: number, first: boolean): string {
  const names = [...text.matchAll(/"(\w+)":/g)].map((match) => match[1]);
  const member = `"${names[place % names.length]}":"twice"`;
  return first ? text.replace('{', () => `{${member},`) : `${text.slice(0, -1)},${member}}`;
}

/** The text of an object, padded to a size in bytes with a member of its own. */
export function paddedTo(bytes: number, text: string): string {
  const frame = ',"padding":""';
  const missing = bytes - Buffer.byteLength(text) - frame.length;
  return missing < 0 ? text : `${text.slice(0, -1)},"padding":"${'x'.repeat(missing)}"}`;
}

const nested = (opening: string, closing: string) => `${opening.repeat(DEPTH)}1${closing.repeat(DEPTH)}`;

/**
 * What becomes of valid objects in hostile hands.
 * @param values JSON objects with at least one member
 */
export function hostileTexts(values: fc.Arbitrary<unknown>): fc.Arbitrary<HostileText> {
  type Change = (value: unknown, place: number, random: number) => string;
  const attack = (weight: number, kind: string, broken: boolean, change: Change) => ({
    weight,
    arbitrary: fc
      .tuple(values, fc.nat(), fc.nat())
      .map(([value, place, random]): HostileText => ({ kind, broken, text: change(value, place, random) })),
  });
  const oneOf = <Item>(items: readonly Item[], random: number) => items[random % items.length] as Item;
  const written = (change: (text: string, random: number, place: number) => string): Change => {
    return (value, place, random) => change(JSON.stringify(value), random, place);
  };
  return fc.oneof(
    attack(4, 'wrong type', false, (value, place, random) => withLiteral(value, place, oneOf(wrongTypes, random))),
    attack(3, 'missing member', false, without),
    attack(2, 'additional member', false, (value, place, random) =>
      withMember(value, place, `extra${random % 9}`, { a: [random] }),
    ),
    attack(3, 'unusual number', false, (value, place, random) => withLiteral(value, place, oneOf(numbers, random))),
    attack(1, 'no number', true, (value, place, random) => withLiteral(value, place, oneOf(noNumbers, random))),
    attack(4, 'unusual text', false, (value, place, random) =>
      withLiteral(value, place, JSON.stringify(oneOf(unusualTexts, random))),
    ),
    attack(2, 'long text', false, (value, place, random) =>
      withLiteral(value, place, JSON.stringify(oneOf(longTexts, random))),
    ),
    attack(3, 'unusual name', false, (value, place, random) =>
      withMember(value, place, oneOf(names, random), oneOf([{ isAdmin: true }, null, 'x', []], random)),
    ),
    attack(1, 'deep arrays', false, (value, place) => withLiteral(value, place, nested('[', ']'))),
    attack(1, 'deep objects', false, (value, place) => withLiteral(value, place, nested('{"a":', '}'))),
    attack(1, 'nothing but depth', true, (_, __, random) =>
      oneOf(['['.repeat(DEPTH), '{"a":'.repeat(DEPTH), nested('[', ']')], random),
    ),
    attack(
      2,
      'duplicate name',
      false,
      written((text, random, place) => withDuplicate(text, place, random % 2 === 0)),
    ),
    attack(
      3,
      'truncated',
      true,
      written((text, random) => text.slice(0, 1 + (random % (text.length - 1)))),
    ),
    attack(1, 'empty', true, (_, __, random) => oneOf(['', ' ', '\n\t'], random)),
    attack(
      1,
      'byte order mark',
      true,
      written((text) => `\ufeff${text}`),
    ),
    attack(
      1,
      'raw NUL',
      true,
      written((text, random) => `${text.slice(0, random % text.length)}\u0000${text.slice(random % text.length)}`),
    ),
    attack(
      1,
      'something behind',
      true,
      written((text, random) => `${text}${oneOf([text, '}', ',', 'null', '\u0001', '//'], random)}`),
    ),
    attack(
      1,
      'another syntax',
      true,
      written((text, random) =>
        oneOf(
          [text.replaceAll('"', "'"), `/* */${text}`, `<a>${text}</a>`, text.replace(/}$/, ',}'), `a=${text}`],
          random,
        ),
      ),
    ),
    attack(
      1,
      'no object',
      true,
      written((text, random) =>
        oneOf(['null', '42', 'true', '"text"', '[]', `[${text}]`, JSON.stringify(text)], random),
      ),
    ),
  );
}

/** Valid objects whose text has exactly so many bytes. */
export function oversized(
  values: fc.Arbitrary<unknown>,
  sizes: readonly number[],
): fc.Arbitrary<{ text: string; bytes: number }> {
  return fc
    .tuple(values, fc.constantFrom(...sizes))
    .map(([value, bytes]) => ({ bytes, text: paddedTo(bytes, JSON.stringify(value)) }));
}

/** Bytes that are not UTF-8. */
export const notUtf8: readonly (readonly number[])[] = [
  ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0x80]],
];

/** Texts that are no UTF-8, for whoever takes bytes. */
export function invalidUtf8(values: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  return fc.tuple(values, fc.nat(), fc.constantFrom(...notUtf8)).map(([value, at, sequence]) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const place = at % bytes.length;
    return Buffer.concat([bytes.subarray(0, place), Buffer.from(sequence), bytes.subarray(place)]);
  });
}
