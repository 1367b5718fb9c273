import { describe, expect, test } from '@jest/globals';
import { PermanentError } from '@millrace/errors';
import { envelopeText, sampleEvent } from '@millrace/testing';
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

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}

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
    [
      'another version',
      'metadata.version',
      ({ metadata }: { metadata: Record<string, unknown> }) => (metadata.version = 1),
    ],
    [
      'another name',
      'metadata.name',
      ({ metadata }: { metadata: Record<string, unknown> }) => (metadata.name = 'Else'),
    ],
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
        metadata: { properties: { name: { enum: ['TicketSold'] }, version: { enum: [2] } } },
        data: { required: ['ticketId', 'buyer', 'seats'] },
      },
    });
    expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
  });
});
