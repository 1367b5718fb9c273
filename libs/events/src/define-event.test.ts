import { describe, expect, test } from '@jest/globals';
import { PermanentError } from '@millrace/errors';
import { envelopeText, errorOf, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import {
  defineEvent,
  EmittableEvent,
  MalformedEventError,
  parseEnvelope,
  SchemaViolationError,
  UnexpectedEventError,
} from './index.ts';

const TicketSold = defineEvent({
  name: 'TicketSold',
  version: 2,
  service: 'box-office',
  category: 'domain',
  type: 'data',
  summary: 'A seat changed hands.',
  tags: { audience: 'all' },
  data: z.object({
    ticketId: z.string(),
    buyer: z.object({ email: z.email() }),
    seats: z.array(z.object({ row: z.int().positive() })).min(1),
    note: z.string().optional(),
  }),
  example: { ticketId: 't-1', buyer: { email: 'ada@example.com' }, seats: [{ row: 1 }] },
});

const context = {
  id: 'event-1',
  time: new Date('2026-03-01T10:20:30.456Z'),
  subject: 't-1',
  correlationId: 'correlation-1',
};

/** The envelope of an event with parts of its detail replaced. */
function envelopeWith(change: (detail: { metadata: Record<string, unknown>; data: Record<string, unknown> }) => void) {
  const envelope = JSON.parse(envelopeText(sampleEvent(TicketSold)));
  change(envelope.detail);
  return parseEnvelope(JSON.stringify(envelope));
}

describe('defining an event', () => {
  const named = (name: string, version = 1) =>
    defineEvent({
      name,
      version,
      service: 'box-office',
      category: 'domain',
      type: 'data',
      summary: 'A seat changed hands.',
      data: z.object({}),
      example: {},
    });

  test('whose detail-type EventBridge refuses is an error', () => {
    expect(named('T'.repeat(125)).detailType).toHaveLength(128);
    expect(() => named('T'.repeat(126))).toThrow('has 129 characters, but EventBridge takes 128 in a detail-type');
  });

  test.each([
    ['', 1],
    ['ticketSold', 1],
    ['Ticket Sold', 1],
    ['TicketSold', 0],
    ['TicketSold', 1.5],
  ])('whose detail-type no template can list is an error: "%s", version %d', (name, version) => {
    expect(() => named(name, version)).toThrow('is not a valid detail-type');
  });
});

describe('creating an event', () => {
  test('derives source, detail-type, time and metadata from the contract and the context', () => {
    const event = TicketSold.create(
      TicketSold.example,
      { ...context, sequence: 3, causationId: 'cause-1', traceparent: '00-trace' },
      { stage: 'staging', region: 'eu-west-1', jurisdiction: 'eu' },
    );

    expect(event).toMatchObject({
      source: 'millrace.box-office',
      detailType: 'TicketSold.v2',
      time: '2026-03-01T10:20:30.456Z',
    });
    expect(JSON.parse(event.detail)).toEqual({
      metadata: {
        id: 'event-1',
        version: 2,
        name: 'TicketSold',
        timestamp: '2026-03-01T10:20:30.456Z',
        timestampEpoch: 1772360430456,
        correlationId: 'correlation-1',
        causationId: 'cause-1',
        traceparent: '00-trace',
        domain: 'commerce',
        subdomain: 'box-office',
        service: 'box-office',
        team: 'box-office',
        owner: 'box-office',
        category: 'domain',
        type: 'data',
        subject: 't-1',
        sequence: 3,
        lifecycleStage: 'staging',
        region: 'eu-west-1',
        jurisdiction: 'eu',
        tags: { audience: 'all' },
        dataSensitivity: 'internal',
      },
      data: TicketSold.example,
    });
  });

  test('writes characters that queues refuse as escapes', () => {
    const odd = 'a\ufffeb\uffffc\ud800\u0000👩‍🌾';
    const { detail } = TicketSold.create(TicketSold.example, { ...context, correlationId: odd });

    expect(detail).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
    expect(JSON.parse(detail).metadata.correlationId).toBe(odd);
  });

  test('leaves out what the context does not have', () => {
    const { metadata } = JSON.parse(TicketSold.create(TicketSold.example, context).detail);

    expect(metadata).not.toHaveProperty('causationId');
    expect(metadata).not.toHaveProperty('traceparent');
    expect(metadata).not.toHaveProperty('sequence');
  });

  test('refuses data that break the contract, naming paths and never values', () => {
    const data = { ticketId: 't-1', buyer: { email: 'secret-mail' }, seats: [{ row: -77 }] };

    const error = errorOf(() => TicketSold.create(data, context));

    expect(error).toBeInstanceOf(SchemaViolationError);
    expect(error.message).toContain('data.buyer.email');
    expect(error.message).toContain('data.seats.0.row');
    expect(error.message).not.toMatch(/secret-mail|77/);
  });

  test('refuses a context without a correlation', () => {
    expect(() => TicketSold.create(TicketSold.example, { ...context, correlationId: '' })).toThrow(
      /metadata\.correlationId/,
    );
  });

  test('gives the event as its consumers see it, and what an outbox stores', () => {
    const event = sampleEvent(TicketSold, { note: 'aisle' });

    expect(event.event).toEqual(TicketSold.parse(parseEnvelope(envelopeText(event))));
    expect(new EmittableEvent(event.entry)).toEqual(event);
    expect(Object.keys(event.entry)).toEqual(['source', 'detailType', 'detail', 'time']);
  });
});

describe('parsing an event', () => {
  test('tolerates fields that a newer producer added: kept in metadata, dropped from data', () => {
    const envelope = envelopeWith(({ metadata, data }) => {
      metadata.tenant = 'north';
      data.channel = 'web';
    });

    const event = TicketSold.parse(envelope);

    expect(event.metadata).toHaveProperty('tenant', 'north');
    expect(event.data).toEqual(TicketSold.example);
  });

  test.each([
    ['a missing field', 'data.ticketId', (detail: { data: Record<string, unknown> }) => delete detail.data.ticketId],
    ['a wrong type', 'data.seats', (detail: { data: Record<string, unknown> }) => (detail.data.seats = 'one')],
    ['no event id', 'metadata.id', ({ metadata }: { metadata: Record<string, unknown> }) => delete metadata.id],
    [
      'a local time',
      'metadata.timestamp',
      ({ metadata }: { metadata: Record<string, unknown> }) => (metadata.timestamp = 'noon'),
    ],
  ])('refuses %s as permanent and names it', (_, path, change) => {
    const error = errorOf(() => TicketSold.parse(envelopeWith(change)));

    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: 'SCHEMA_VIOLATION' });
    expect((error as SchemaViolationError).issues.map((issue) => issue.path)).toEqual([path]);
  });

  test.each([
    ['service', 'mailer', 'metadata.service is mailer, source is millrace.box-office'],
    ['name', 'Else', 'metadata.name is Else, detail-type is TicketSold.v2'],
    ['version', 1, 'metadata.version is 1, detail-type is TicketSold.v2'],
    ['name', 'Ada Lovelace <ada@example.com>', 'metadata.name is (no identifier), detail-type is TicketSold.v2'],
  ])('refuses one whose metadata and envelope disagree about the %s, %j', (field, value, message) => {
    const error = errorOf(() => TicketSold.parse(envelopeWith(({ metadata }) => (metadata[field] = value))));

    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: 'ENVELOPE_MISMATCH', message: `TicketSold.v2 contradicts itself: ${message}` });
  });

  test.each(['service', 'name', 'version'])(
    'without metadata.%s breaks the contract, and contradicts nothing',
    (field) => {
      const error = errorOf(() => TicketSold.parse(envelopeWith(({ metadata }) => delete metadata[field])));

      expect(error).toMatchObject({ code: 'SCHEMA_VIOLATION', issues: [{ path: `metadata.${field}` }] });
    },
  );

  test('never repeats a name that comes from the data', () => {
    const Counted = defineEvent({
      name: 'Counted',
      version: 1,
      service: 'box-office',
      category: 'domain',
      type: 'data',
      summary: 'Seats were counted.',
      data: z.object({ hall: z.strictObject({ seats: z.int() }), perRow: z.record(z.string(), z.int()) }),
      example: { hall: { seats: 1 }, perRow: {} },
    });
    const envelope = JSON.parse(envelopeText(sampleEvent(Counted)));
    envelope.detail.metadata.tags = { Lovelace: 17 };
    envelope.detail.data = { hall: { seats: 'x', Lovelace: 1 }, perRow: { Lovelace: true } };

    const error = errorOf(() => Counted.parse(envelope));

    expect((error as SchemaViolationError).issues).toEqual([
      { path: 'metadata.tags.*', message: expect.any(String) },
      { path: 'data.hall.seats', message: expect.any(String) },
      { path: 'data.hall', message: 'Unknown field' },
      { path: 'data.perRow.*', message: expect.any(String) },
    ]);
    expect(JSON.stringify([error.message, error])).not.toContain('Lovelace');
  });

  test('says nothing of a stranger that does not look like an identifier', () => {
    const envelope = { ...envelopeWith(() => {}), source: 'Ada Lovelace', 'detail-type': 'ada@example.com' };

    expect(errorOf(() => TicketSold.parse(envelope)).message).toBe(
      'Got (no identifier) from (no identifier); this consumer handles TicketSold.v2 from millrace.box-office',
    );
  });

  test.each([{ source: 'millrace.intruder' }, { 'detail-type': 'TicketSold.v1' }])(
    'refuses %j: it is another event',
    (change) => {
      const envelope = { ...envelopeWith(() => {}), ...change };

      expect(() => TicketSold.parse(envelope)).toThrow(UnexpectedEventError);
    },
  );
});

describe('reading an envelope', () => {
  test('takes what EventBridge delivers, with its replay name', () => {
    const text = envelopeText(sampleEvent(TicketSold)).replace('{', '{"replay-name":"r-1",');

    expect(parseEnvelope(text)).toMatchObject({
      'detail-type': 'TicketSold.v2',
      source: 'millrace.box-office',
      'replay-name': 'r-1',
    });
  });

  test.each([
    ['text', 'hello'],
    ['nothing', ''],
    ['JSON cut short', '{"source":'],
    ['null', 'null'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['a detail that is text', '{"id":"1","source":"s","detail-type":"t","time":"now","detail":"x"}'],
    ['a detail that is null', '{"id":"1","source":"s","detail-type":"t","time":"now","detail":null}'],
  ])('refuses %s', (_, text) => {
    const error = errorOf(() => parseEnvelope(text));

    expect(error).toBeInstanceOf(MalformedEventError);
    expect(error).toMatchObject({ code: 'MALFORMED_EVENT' });
  });

  test('does not carry the body into the error, not even as its cause', () => {
    const error = errorOf(() => parseEnvelope('ada@example.com'));

    expect(error.message).not.toContain('ada');
    expect(error.cause).toBeUndefined();
  });
});

describe('what derives from a contract', () => {
  test('the rule pattern matches source and detail-type', () => {
    expect(TicketSold.pattern()).toEqual({ source: ['millrace.box-office'], 'detail-type': ['TicketSold.v2'] });
  });

  test('the JSON Schema describes the detail in draft-04 and lets unknown fields through', () => {
    const schema = TicketSold.jsonSchema();

    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-04/schema#',
      required: ['metadata', 'data'],
      properties: {
        metadata: {
          properties: { name: { enum: ['TicketSold'] }, version: { enum: [2] }, service: { enum: ['box-office'] } },
        },
        data: { required: ['ticketId', 'buyer', 'seats'] },
      },
    });
    expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
  });
});
