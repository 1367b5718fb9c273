import { createHash } from 'node:crypto';
import { isEqual, isObject, type Json } from '../json.ts';
import type { Chance } from '../scope.ts';

/** An argument that a function does not take. */
export class IntrinsicError extends Error {}

type Implementation = (values: readonly Json[], chance: Chance) => Json;

interface IntrinsicFunction {
  readonly from: number;
  readonly to: number;
  readonly run: Implementation;
}

/** Longest list that is made, and longest text that is encoded or hashed. */
const MAXIMUM_ITEMS = 1000;
const MAXIMUM_CHARACTERS = 10_000;
const hashNames = ['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];

const fixed = (count: number, run: Implementation): IntrinsicFunction => ({ from: count, to: count, run });

/** https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html */
export const intrinsicFunctions: Readonly<Record<string, IntrinsicFunction>> = {
  'States.Format': {
    from: 1,
    to: Number.POSITIVE_INFINITY,
    run: ([template, ...values]) => format(text(template), values),
  },
  'States.StringToJson': fixed(1, ([value]) => parse(text(value))),
  'States.JsonToString': fixed(1, ([value]) => JSON.stringify(value)),
  'States.Array': { from: 0, to: Number.POSITIVE_INFINITY, run: (values) => [...values] },
  'States.ArrayPartition': fixed(2, ([items, size]) => partition(list(items), positive(size))),
  'States.ArrayContains': fixed(2, ([items, value]) => list(items).some((item) => isEqual(item, value))),
  'States.ArrayRange': fixed(3, ([from, to, by]) => range(integer(from), integer(to), integer(by))),
  'States.ArrayGetItem': fixed(2, ([items, index]) => itemOf(list(items), integer(index))),
  'States.ArrayLength': fixed(1, ([items]) => list(items).length),
  'States.ArrayUnique': fixed(1, ([items]) => unique(list(items))),
  'States.Base64Encode': fixed(1, ([value]) => Buffer.from(short(value)).toString('base64')),
  'States.Base64Decode': fixed(1, ([value]) => Buffer.from(short(value), 'base64').toString()),
  'States.Hash': fixed(2, ([value, algorithm]) => hash(value ?? null, text(algorithm))),
  'States.JsonMerge': fixed(3, ([one, other, deep]) => merge(one, other, deep)),
  'States.MathRandom': {
    from: 2,
    to: 3,
    run: ([from, to, seed], chance) =>
      randomBetween(round(from), round(to), seed === undefined ? chance.random() : seeded(round(seed))),
  },
  'States.MathAdd': fixed(2, ([one, other]) => round(one) + round(other)),
  'States.StringSplit': fixed(2, ([value, delimiters]) => split(text(value), text(delimiters))),
  'States.UUID': fixed(0, (_, chance) => chance.uuid()),
};

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new IntrinsicError(`Expected a string but was ${JSON.stringify(value)}`);
  return value;
}

function short(value: Json | undefined): string {
  const given = text(value);
  if (given.length > MAXIMUM_CHARACTERS)
    throw new IntrinsicError(`The string has more than ${MAXIMUM_CHARACTERS} characters`);
  return given;
}

function list(value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw new IntrinsicError(`Expected an array but was ${JSON.stringify(value)}`);
  return value;
}

/** Numbers with a fraction are rounded, halves up. */
function round(value: Json | undefined): number {
  if (typeof value !== 'number') throw new IntrinsicError(`Expected a number but was ${JSON.stringify(value)}`);
  // Math.round gives -0 for -0.5.
  return Math.round(value) + 0;
}

function integer(value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new IntrinsicError(`Expected an integer but was ${JSON.stringify(value)}`);
  return value;
}

function positive(value: Json | undefined): number {
  const size = round(value);
  if (size < 1) throw new IntrinsicError(`Expected a positive integer but was ${size}`);
  return size;
}

/** Each `{}` takes one value; a brace is escaped by a backslash. */
function format(template: string, values: readonly Json[]): string {
  let next = 0;
  const result = template.replace(/\\([\\{}'])|\{\}/g, (_, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = values[next];
    next += 1;
    if (value === undefined)
      throw new IntrinsicError(`The number of arguments does not match the occurrences of {} in ${template}`);
    return typeof value === 'string' ? value : asJava(value);
  });
  if (next !== values.length)
    throw new IntrinsicError(`The number of arguments does not match the occurrences of {} in ${template}`);
  return result;
}

/** A value as Java prints it, which is what AWS formats with: `{a=1, b=[]}`. */
function asJava(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(asJava).join(', ')}]`;
  if (!isObject(value)) return String(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${name}=${asJava(member)}`)
    .join(', ')}}`;
}

export function parse(value: string): Json {
  try {
    return JSON.parse(value) as Json;
  } catch {
    throw new IntrinsicError(`The string is not valid JSON: ${value.slice(0, 100)}`);
  }
}

export function partition(items: readonly Json[], size: number): Json[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

export function range(from: number, to: number, by: number): Json[] {
  if (by === 0) throw new IntrinsicError('The step of a range must not be 0');
  const length = Math.max(0, Math.floor((to - from) / by) + 1);
  if (length > MAXIMUM_ITEMS) throw new IntrinsicError(`The range has more than ${MAXIMUM_ITEMS} items`);
  return Array.from({ length }, (_, index) => from + index * by);
}

function itemOf(items: readonly Json[], index: number): Json {
  const item = index < 0 ? undefined : items[index];
  if (item === undefined)
    throw new IntrinsicError(`The index ${index} is out of the bounds of an array of ${items.length}`);
  return item;
}

function unique(items: readonly Json[]): Json[] {
  const kept: Json[] = [];
  for (const item of items) if (!kept.some((other) => isEqual(item, other))) kept.push(item);
  return kept;
}

export function hash(value: Json, algorithm: string): string {
  if (!hashNames.includes(algorithm))
    throw new IntrinsicError(`The algorithm ${algorithm} is not one of ${hashNames.join(', ')}`);
  const hashed = typeof value === 'string' ? value : JSON.stringify(value);
  if (hashed.length > MAXIMUM_CHARACTERS)
    throw new IntrinsicError(`The value has more than ${MAXIMUM_CHARACTERS} characters`);
  return createHash(algorithm.replace('-', '')).update(hashed).digest('hex');
}

function merge(one: Json | undefined, other: Json | undefined, deep: Json | undefined): Json {
  if (deep !== false)
    throw new IntrinsicError('Step Functions supports the shallow merging mode only: the third argument must be false');
  if (!isObject(one) || !isObject(other)) throw new IntrinsicError('Expected two objects');
  return { ...one, ...other };
}

/** The start counts, the end does not. */
function randomBetween(from: number, to: number, chance: number): number {
  if (to <= from) throw new IntrinsicError('The end must be greater than the start');
  return from + Math.floor(chance * (to - from));
}

/** A number from 0 to 1 that depends on the seed alone. */
export function seeded(seed: number): number {
  return createHash('sha256').update(String(seed)).digest().readUInt32BE() / 2 ** 32;
}

/** Any of the characters splits, and nothing empty is left between them. */
function split(value: string, delimiters: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const char of value) {
    if (!delimiters.includes(char)) part += char;
    else if (part !== '') {
      parts.push(part);
      part = '';
    }
  }
  return part === '' ? parts : [...parts, part];
}
