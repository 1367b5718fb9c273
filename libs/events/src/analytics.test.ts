import { describe, expect, test } from '@jest/globals';
import { personal, personId } from '@millrace/privacy/personal';
import { envelopeText, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import {
  defineEvent,
  derivedId,
  EmittableEvent,
  type EventOf,
  parseEnvelope,
  SchemaViolationError,
  WITHHELD_SUBJECT,
} from './index.ts';

const facts = { name: 'TicketSold', version: 1, service: 'box-office', category: 'domain', type: 'data' } as const;
const data = z.object({
  ticketId: z.string(),
  buyer: z.object({ id: personId(z.string()), name: personal(z.string()), level: z.enum(['gold', 'none']) }),
  seats: z.array(z.object({ row: z.int(), guest: personal(z.string()).optional() })),
  price: z.object({ amount: z.int(), currency: z.string() }).optional(),
  note: z.string().nullable(),
  labels: z.record(z.string(), z.string()).optional(),
  status: z.string().optional(),
});
const example = {
  ticketId: 't-1',
  buyer: { id: 'person-1', name: 'Ada Example', level: 'gold' as const },
  seats: [{ row: 1, guest: 'Eve Example' }, { row: 2 }],
  price: { amount: 900, currency: 'EUR' },
  note: null,
  labels: { 'Ada Example': 'x' },
};
const TicketSold = defineEvent({
  ...facts,
  summary: 'A seat changed hands.',
  data,
  example,
  tags: { audience: 'all' },
  analytics: {
    fields: ['ticketId', 'buyer.level', 'seats[].row', 'price.amount', 'note'],
    pseudonyms: ['buyer.id'],
  },
});
const pseudonymize = (id: string) => `pseudonym of ${id.length} characters`;
const correlationId = '7d0e4cb5-0c0e-4a38-9c0b-64dd3f3e2a10';
const sold = (context = {}) =>
  sampleEvent(TicketSold, {}, { id: 'event-1', subject: 't-1', correlationId, ...context });
const variantOf = (event: EmittableEvent) => {
  const variant = event.analyticsVariant(pseudonymize);
  if (!variant) throw new Error('no variant');
  return variant;
};
const detailOf = (event: EmittableEvent) => JSON.parse(variantOf(event).detail);

describe('the analytics variant of an event', () => {
  test('has of the data what the contract lets leave, and nothing else', () => {
    expect(detailOf(sold()).data).toEqual({
      ticketId: 't-1',
      buyer: { id: 'pseudonym of 8 characters', level: 'gold' },
      seats: [{ row: 1 }, { row: 2 }],
      price: { amount: 900 },
      note: null,
    });
  });

  test('is a new event that names the one behind it', () => {
    const event = sold({ sequence: 3, causationId: 'cause-1', traceparent: '00-trace' });
    const variant = variantOf(event);

    expect(variant).toMatchObject({ source: event.source, detailType: event.detailType, time: event.time });
    const { timestamp, timestampEpoch } = JSON.parse(event.detail).metadata;
    expect(JSON.parse(variant.detail).metadata).toEqual({
      id: derivedId(['analytics-variant', 'event-1']),
      ...{ version: 1, name: 'TicketSold', timestamp, timestampEpoch },
      ...{ correlationId, causationId: 'event-1', domain: 'commerce', subdomain: 'box-office', service: 'box-office' },
      ...{
        team: 'box-office',
        owner: 'box-office',
        category: 'transformed',
        type: 'data',
        subject: 't-1',
        sequence: 3,
      },
      ...{ lifecycleStage: 'dev', region: 'us-east-1', jurisdiction: 'global', tags: { audience: 'all' } },
      dataSensitivity: 'internal',
    });
  });

  test('is the same whenever it is made, also of what was stored', () => {
    const event = sold();
    const restored = TicketSold.restore(JSON.parse(JSON.stringify(event.entry)));
    expect(variantOf(restored).entry).toEqual(variantOf(event).entry);
    expect(new EmittableEvent(event.entry).analyticsVariant(pseudonymize)).toBeUndefined();
  });

  test('has the id of its aggregate only where that leaves anyway, or its pseudonym', () => {
    expect(detailOf(sold({ subject: 'person-1', sequence: 2 })).metadata).toMatchObject({
      subject: 'pseudonym of 8 characters',
      sequence: 2,
    });
    const elsewhere = detailOf(sold({ subject: 'Ada Example', sequence: 2 })).metadata;
    expect(elsewhere.subject).toBe(WITHHELD_SUBJECT);
    expect(elsewhere).not.toHaveProperty('sequence');
  });

  test('has the correlation only when that is an id, because any other text could name a person', () => {
    expect(detailOf(sold({ correlationId: 'ada@example.com' })).metadata.correlationId).toBe('event-1');
  });

  test('is missing when the contract declares nothing, and refused without what makes pseudonyms', () => {
    const Silent = defineEvent({ ...facts, summary: 'x', data, example });
    expect(Silent.analytics).toBeUndefined();
    expect(sampleEvent(Silent).analyticsVariant()).toBeUndefined();
    expect(() => sold().analyticsVariant()).toThrow(TypeError);
  });

  test('is refused when what was stored is not what the contract says', () => {
    const { entry } = sold();
    const stored = { ...entry, detail: entry.detail.replace('"amount":900', '"amount":"secret"') };
    expect(() => TicketSold.restore(stored).analyticsVariant(pseudonymize)).toThrow(SchemaViolationError);
  });

  test('of an older version is that of the newest: it is led up before', () => {
    const Newer = defineEvent({
      ...facts,
      version: 2,
      summary: 'x',
      data: z.object({ ticketId: z.string(), rows: z.array(z.int()) }),
      example: { ticketId: 't-1', rows: [1] },
      upcasts: { from: TicketSold, data: ({ ticketId, seats }) => ({ ticketId, rows: seats.map(({ row }) => row) }) },
      analytics: { fields: ['rows[]'] },
    });
    const variant = variantOf(Newer.restore(sold().entry));
    expect(variant.detailType).toBe('TicketSold.v2');
    expect(JSON.parse(variant.detail)).toMatchObject({
      metadata: { id: derivedId(['analytics-variant', 'event-1']), version: 2 },
      data: { rows: [1, 2] },
    });
  });
});

describe('the contract of variants', () => {
  const variants = TicketSold.analytics;

  test('parses them with their types', () => {
    const event: EventOf<typeof variants> = variants.parse(parseEnvelope(envelopeText(variantOf(sold()))));
    const [seat] = event.data.seats;
    const known: { row?: number; level: string; amount?: number | undefined } = {
      ...(seat && { row: seat.row }),
      level: event.data.buyer.level,
      amount: event.data.price?.amount,
    };
    expect(known).toEqual({ row: 1, level: 'gold', amount: 900 });
    // @ts-expect-error its name does not leave
    expect(event.data.buyer.name).toBeUndefined();
    // @ts-expect-error nor does what is not declared
    expect(event.data.labels).toBeUndefined();
  });

  test('takes no event of the domain bus, and the contract of the event takes no variant', () => {
    expect(() => variants.parse(parseEnvelope(envelopeText(sold())))).toThrow('metadata.category');
    expect(() => TicketSold.parse(parseEnvelope(envelopeText(variantOf(sold()))))).toThrow('metadata.category');
  });

  test('has a pattern, a JSON Schema and an example of its own', () => {
    expect(variants.pattern()).toEqual({ source: ['millrace.box-office'], 'detail-type': ['TicketSold.v1'] });
    expect(JSON.stringify(variants.jsonSchema())).not.toMatch(/guest|name"?: *\{"type":"string","x-data|labels/);
    expect(variants.example.seats).toEqual([{ row: 1 }, { row: 2 }]);
    expect(variants).toMatchObject({ category: 'transformed', dataSensitivity: 'internal', personalFields: [] });
  });
});

describe('a contract that lets leave what may not is an error, for the compiler where types can tell, and when it is defined', () => {
  const define = (analytics: { fields: string[]; pseudonyms?: string[] }) => () =>
    defineEvent({ ...facts, summary: 'x', data, example, analytics: analytics as never });

  test.each([
    ['a personal field', ['buyer.name'], 'TicketSold.v1: analytics names buyer.name, which is personal'],
    ['a personal field in a list', ['seats[].guest'], 'analytics names seats[].guest, which is personal'],
    [
      'the id of a person',
      ['buyer.id'],
      'analytics names buyer.id, which is the id of a person: list it under pseudonyms',
    ],
    ['a whole object', ['price'], 'analytics names price, which is an object: name the fields of it that leave'],
    ['a whole list', ['seats'], 'analytics names seats, which is not a text, number or truth value'],
    ['all of a list', ['seats[]'], 'analytics names seats[], which is an object'],
    ['names that come from the data', ['labels.x'], 'analytics names labels.x, which is not in the data section'],
    ['what is not there', ['buyer.age'], 'analytics names buyer.age, which is not in the data section'],
    ['a field of a text', ['ticketId.x'], 'analytics names ticketId.x, which is not in the data section'],
    ['state', ['status'], 'analytics names status, which is state'],
    ['a field twice', ['ticketId', 'ticketId'], 'analytics names ticketId twice'],
    ['nothing', [], 'analytics names no field'],
  ])('%s', (_title, fields, message) => {
    expect(define({ fields })).toThrow(message);
  });

  test.each([
    ['a personal field', 'buyer.name', 'which is personal'],
    ['what is not the id of a person', 'note', 'which is not marked with personId'],
  ])('a pseudonym of %s', (_title, path, message) => {
    expect(define({ fields: ['ticketId'], pseudonyms: [path] })).toThrow(message);
  });

  test('an address that nobody has marked, and an id that is marked around another schema', () => {
    const one = z.object({ mail: z.email(), person: personId(z.string().optional()) });
    const defineOne = (path: string) => () =>
      defineEvent({
        ...facts,
        summary: 'x',
        data: one,
        example: { mail: 'a@b.de' },
        analytics: { fields: [path] as never },
      });
    expect(defineOne('mail')).toThrow('is an e-mail address: mark it with personal');
    expect(defineOne('person')).toThrow('is the id of a person');
  });

  test('the compiler says so, too', () => {
    const defineWith = {
      // @ts-expect-error a personal field
      name: () => defineEvent({ ...facts, summary: 'x', data, example, analytics: { fields: ['buyer.name'] } }),
      // @ts-expect-error a personal field in a list
      guest: () => defineEvent({ ...facts, summary: 'x', data, example, analytics: { fields: ['seats[].guest'] } }),
      // @ts-expect-error the id of a person
      id: () => defineEvent({ ...facts, summary: 'x', data, example, analytics: { fields: ['buyer.id'] } }),
      // @ts-expect-error a whole object
      price: () => defineEvent({ ...facts, summary: 'x', data, example, analytics: { fields: ['price'] } }),
      // @ts-expect-error what is not there
      age: () => defineEvent({ ...facts, summary: 'x', data, example, analytics: { fields: ['buyer.age'] } }),
    };
    for (const define of Object.values(defineWith)) expect(define).toThrow('TicketSold.v1: analytics names ');
  });
});
