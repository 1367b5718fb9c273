import { describe, expect, test } from '@jest/globals';
import { guard, guardOf, redact } from '@millrace/privacy';
import { personal, redactionOf } from '@millrace/privacy/personal';
import { envelopeText, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { defineEvent, parseEnvelope } from './index.ts';

const person = z.object({ id: z.string(), name: personal(z.string().min(1)), email: personal(z.email()).optional() });
const visit = z.object({
  visitId: z.string(),
  visitor: person,
  companions: z.array(person).optional(),
  plates: z.array(personal(z.string())).default([]),
  room: z.object({ number: z.int() }),
  notes: z.record(z.string(), personal(z.string())).optional(),
});
const example = {
  visitId: 'v-1',
  visitor: { id: 'p-1', name: 'Ada', email: 'ada@example.com' },
  companions: [{ id: 'p-2', name: 'Bob' }],
  plates: ['B-AD 1'],
  room: { number: 7 },
  notes: { wine: 'red' },
};

function define(data: z.ZodType, more: { dataSensitivity?: 'public' | 'internal' } = {}) {
  return defineEvent({
    name: 'Visited',
    version: 1,
    service: 'museum',
    category: 'domain',
    type: 'data',
    summary: 'Somebody came.',
    ...more,
    data,
    example: {},
  });
}
const Visited = defineEvent({
  name: 'Visited',
  version: 1,
  service: 'museum',
  category: 'domain',
  type: 'data',
  summary: 'Somebody came.',
  data: visit,
  example,
});
const redacted = {
  visitId: 'v-1',
  visitor: { id: 'p-1' },
  companions: [{ id: 'p-2' }],
  plates: [],
  room: { number: 7 },
  notes: {},
};

describe('a contract with personal fields', () => {
  test('lists them, and is personal', () => {
    expect(Visited.personalFields).toEqual([
      'visitor.name',
      'visitor.email',
      'companions[].name',
      'companions[].email',
      'plates[]',
      'notes.*',
    ]);
    expect(Visited.dataSensitivity).toBe('personal');
    expect(sampleEvent(Visited).event.metadata.dataSensitivity).toBe('personal');
  });

  test('cannot be declared less', () => {
    expect(() => define(visit, { dataSensitivity: 'internal' })).toThrow(
      /Visited\.v1 is declared internal, but has personal fields: visitor\.name, /,
    );
    expect(() => define(visit, { dataSensitivity: 'public' })).toThrow(/declared public/);
    expect(define(z.object({ id: z.string() }), { dataSensitivity: 'public' }).dataSensitivity).toBe('public');
    expect(define(z.object({ id: z.string() })).dataSensitivity).toBe('internal');
  });

  test('redacts a copy of its data: without them, and without what it does not know', () => {
    const data = structuredClone(example);

    expect(Visited.redact({ ...data, stranger: 'Eve' } as typeof data)).toEqual(redacted);
    expect(data).toEqual(example);
  });

  test('marks them in its JSON Schema, by a keyword that registries let through', () => {
    const schema = Visited.jsonSchema();

    expect(schema).toMatchObject({
      properties: {
        data: {
          properties: {
            visitor: {
              properties: {
                id: { type: 'string' },
                name: { type: 'string', 'x-data-sensitivity': 'personal' },
                email: { 'x-data-sensitivity': 'personal' },
              },
            },
            companions: { items: { properties: { name: { 'x-data-sensitivity': 'personal' } } } },
            plates: { items: { 'x-data-sensitivity': 'personal' } },
          },
        },
      },
    });
    const text = JSON.stringify(schema);
    expect(text.match(/"x-data-sensitivity"/g)).toHaveLength(6);
    expect(text).not.toContain('"dataSensitivity":"personal"');
  });
});

describe('a mark', () => {
  const mark = personal(z.string());

  test.each<[string, z.ZodType, unknown, unknown]>([
    ['on a field', z.object({ x: mark, y: z.string() }), { x: 'a', y: 'b' }, { y: 'b' }],
    ['under optional', z.object({ x: mark.optional() }), { x: 'a' }, {}],
    ['under nullable', z.object({ x: mark.nullable() }), { x: 'a' }, {}],
    ['under a default', z.object({ x: mark.default('z') }), { x: 'a' }, {}],
    ['under catch and readonly', z.object({ x: mark.catch('z').readonly() }), { x: 'a' }, {}],
    ['before a further check', z.object({ x: mark.min(1).regex(/a/) }), { x: 'a' }, {}],
    ['before a transformation', z.object({ x: mark.transform((text) => text.length) }), { x: 1 }, {}],
    ['behind a transformation', z.object({ x: z.preprocess(String, mark) }), { x: 'a' }, {}],
    ['on an object', z.object({ x: personal(z.object({ y: z.string() })) }), { x: { y: 'a' } }, {}],
    ['on the data as a whole', personal(z.object({ y: z.string() })), { y: 'a' }, undefined],
    ['on an alternative', z.object({ x: z.union([z.int(), mark]) }), { x: 7 }, {}],
    [
      'in an alternative',
      z.object({ x: z.union([z.object({ y: mark }), z.object({ z: z.int() })]) }),
      { x: { y: 'a', z: 1 } },
      { x: { z: 1 } },
    ],
    ['in one half of an intersection', z.object({ y: mark }).and(z.object({ z: z.int() })), { y: 'a', z: 1 }, { z: 1 }],
    ['on an element', z.array(mark), ['a', 'b'], []],
    ['in a tuple', z.object({ x: z.tuple([mark]) }), { x: ['a'] }, { x: [] }],
    ['on the values of a record', z.record(z.string(), mark), { Ada: 'a' }, {}],
    ['on the names of a record', z.object({ x: z.record(mark, z.int()) }), { x: { Ada: 1 } }, {}],
    ['in a lazy schema', z.object({ x: z.lazy(() => z.object({ y: mark })) }), { x: { y: 'a' } }, { x: {} }],
    ['in a shape that another schema takes over', z.strictObject(person.shape), example.visitor, { id: 'p-1' }],
    ['in an extended object', person.extend({ age: z.int() }), { ...example.visitor, age: 3 }, { id: 'p-1', age: 3 }],
  ])('%s hides what it describes', (_, schema, value, expected) => {
    expect(redact(value, redactionOf(schema))).toEqual(expected);
    expect(define(schema).personalFields).toHaveLength(
      1 + Number(schema instanceof z.ZodObject && 'email' in schema.shape),
    );
  });

  test('is found in a schema within itself', () => {
    const folder = z.object({
      id: z.string(),
      owner: mark,
      get folders() {
        return z.array(folder);
      },
    });

    expect(define(folder).personalFields).toEqual(['owner']);
    expect(
      redact({ id: '1', owner: 'Ada', folders: [{ id: '2', owner: 'Bob', folders: [] }] }, redactionOf(folder)),
    ).toEqual({ id: '1', folders: [{ id: '2', folders: [] }] });
  });
});

describe('what no schema describes', () => {
  test('is left out, even where unknown fields are let in', () => {
    const loose = z.looseObject({ id: z.string() });
    const scores = z.object({ id: z.string() }).catchall(z.int());

    expect(redact({ id: '1', name: 'Ada' }, redactionOf(loose))).toEqual({ id: '1' });
    expect(redact({ id: '1', a: 3 }, redactionOf(scores))).toEqual({ id: '1', a: 3 });
  });

  test('has no array where an object should be, and no object where an array should be', () => {
    expect(redact(['Ada'], redactionOf(person))).toBeUndefined();
    expect(redact({ name: 'Ada' }, redactionOf(z.array(person)))).toEqual({});
  });
});

describe('an event that was parsed or made', () => {
  const made = sampleEvent(Visited);
  const parsed = Visited.parse(parseEnvelope(envelopeText(made)));

  test.each<[string, object, unknown]>([
    ['its data', parsed.data, redacted],
    ['an object in its data', parsed.data.visitor, { id: 'p-1' }],
    ['an object in an array', parsed.data.companions?.[0] ?? {}, { id: 'p-2' }],
    ['an array of texts', parsed.data.plates, []],
    ['what is not personal', parsed.data.room, { number: 7 }],
    ['the event that its consumers will see', made.event.data, redacted],
  ])('can be told from others: %s', (_, part, shown) => {
    const redaction = guardOf(part);
    expect(redaction && redact(part, redaction)).toEqual(shown);
  });

  test('is shown with its metadata, as far as they are known', () => {
    const text = envelopeText(made).replace('"metadata":{', '"metadata":{"visitorName":"Ada",');
    const event = Visited.parse(parseEnvelope(text));
    const redaction = guardOf(event);
    const { visitorName: _, ...metadata } = event.metadata;

    expect(event.metadata).toHaveProperty('visitorName', 'Ada');
    expect(redaction && redact(event, redaction)).toEqual({ ...event, metadata, data: redacted });
  });

  test('is shown without its text before it is emitted', () => {
    const redaction = guardOf(made);
    const { source, detailType, time } = made;

    expect(redaction && redact(made, redaction)).toEqual({ source, detailType, time });
  });

  test('is as it would be without being remembered', () => {
    const value = structuredClone(example);
    expect(guard(value, redactionOf(visit))).toBe(value);
    expect(value).toEqual(example);
    expect(guard('text', redactionOf(visit))).toBe('text');
    expect(guard(null, redactionOf(visit))).toBeNull();
    expect(guardOf({})).toBeUndefined();
  });
});
