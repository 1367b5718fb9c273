import { describe, expect, test } from '@jest/globals';
import { PermanentError } from '@millrace/errors';
import { guardOf, redact } from '@millrace/privacy';
import { personal } from '@millrace/privacy/personal';
import { envelopeText, errorOf, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { contractFor, defineEvent, type Event, type EventContract, parseEnvelope } from './index.ts';

const shared = { name: 'SeatSold', service: 'box-office', category: 'domain', type: 'data' } as const;

const SeatSold = defineEvent({
  ...shared,
  version: 1,
  summary: 'A seat was sold, for whole euros.',
  data: z.object({ seat: z.string(), guest: z.string(), euros: z.int() }),
  example: { seat: 'A1', guest: 'Ada', euros: 20 },
});

const SeatSoldV2 = defineEvent({
  ...shared,
  version: 2,
  summary: 'A seat was sold.',
  data: z.object({ seat: z.string(), guest: personal(z.string()), cents: z.int().nonnegative() }),
  example: { seat: 'A1', guest: 'Ada', cents: 2000 },
  upcasts: {
    from: SeatSold,
    data: ({ euros, ...rest }) => {
      if (rest.seat === 'none') throw new RangeError(`No seat for ${rest.guest}`);
      return { ...rest, cents: euros * 100 };
    },
  },
});

const SeatSoldV3 = defineEvent({
  ...shared,
  version: 3,
  summary: 'A seat was sold, in some currency.',
  data: z.object({
    seat: z.string(),
    guest: personal(z.string()),
    price: z.object({ amount: z.int(), currency: z.string().default('EUR') }),
  }),
  example: { seat: 'A1', guest: 'Ada', price: { amount: 2000 } },
  upcasts: { from: SeatSoldV2, data: ({ cents, ...rest }) => ({ ...rest, price: { amount: cents } }) },
});

const context = { id: 'event-1', subject: 'A1', correlationId: 'correlation-1', causationId: 'cause-1', sequence: 7 };
const envelopeOf = (contract: EventContract, data: object = {}) =>
  parseEnvelope(envelopeText(sampleEvent(contract, data, context)));

describe('an event of an older version', () => {
  test('becomes one of the newest, step by step, with the same identity', () => {
    const envelope = envelopeOf(SeatSold);

    const event = SeatSoldV3.parse(envelope);

    expect(event).toEqual({
      source: 'millrace.box-office',
      detailType: 'SeatSold.v3',
      metadata: { ...SeatSold.parse(envelope).metadata, version: 3, dataSensitivity: 'personal' },
      data: { seat: 'A1', guest: 'Ada', price: { amount: 2000, currency: 'EUR' } },
    });
    expect(event.metadata).toMatchObject({ ...context, name: 'SeatSold' });
  });

  test('keeps what a newer producer added to its metadata', () => {
    const envelope = envelopeOf(SeatSold);
    (envelope.detail as { metadata: object }).metadata = {
      ...(envelope.detail as { metadata: object }).metadata,
      tenant: 'north',
    };

    expect(SeatSoldV2.parse(envelope).metadata).toHaveProperty('tenant', 'north');
  });

  test('is shown without what is personal in the newest', () => {
    const event = SeatSoldV3.parse(envelopeOf(SeatSold));
    const redaction = guardOf(event);

    expect(redaction && redact(event, redaction)).toMatchObject({
      data: { seat: 'A1', price: { amount: 2000, currency: 'EUR' } },
    });
    expect(JSON.stringify(redaction && redact(event, redaction))).not.toContain('Ada');
  });

  test('is not what an event of the newest becomes', () => {
    const event = SeatSoldV3.parse(envelopeOf(SeatSoldV3));

    expect(SeatSoldV3.upcast(event)).toBe(event);
    expect(event.data).toEqual({ seat: 'A1', guest: 'Ada', price: { amount: 2000, currency: 'EUR' } });
  });

  test('can be led up after it was parsed', () => {
    const old: Event = SeatSold.parse(envelopeOf(SeatSold));

    expect(SeatSoldV3.upcast(old)).toMatchObject({ detailType: 'SeatSold.v3', data: { price: { amount: 2000 } } });
    expect(errorOf(() => SeatSold.upcast(SeatSoldV2.parse(envelopeOf(SeatSoldV2))))).toMatchObject({
      code: 'UNEXPECTED_EVENT',
    });
  });

  test.each([
    ['breaks its own contract', SeatSold, { euros: 'many' }, 'SCHEMA_VIOLATION', /^SeatSold\.v1 .* data\.euros: /],
    ['contradicts itself', SeatSold, { version: 2 }, 'ENVELOPE_MISMATCH', /^SeatSold\.v1 contradicts itself/],
    ['comes from another source', SeatSold, { source: 'millrace.forger' }, 'UNEXPECTED_EVENT', /SeatSold\.v1 from /],
    [
      'breaks the next contract',
      SeatSold,
      { euros: -1 },
      'UPCAST_FAILED',
      /^SeatSold\.v1 could not be upcast to SeatSold\.v2: SeatSold\.v2 breaks its contract: data\.cents: /,
    ],
    [
      'makes the upcaster throw',
      SeatSold,
      { seat: 'none' },
      'UPCAST_FAILED',
      /^SeatSold\.v1 could not be upcast to SeatSold\.v2: the upcaster threw$/,
    ],
  ])('that %s is a permanent failure', (_, contract, change, code, message) => {
    const envelope = structuredClone(envelopeOf(contract));
    const detail = envelope.detail as { metadata: { version: unknown }; data: object };
    if ('version' in change) detail.metadata.version = change.version;
    else if ('source' in change) envelope.source = change.source;
    else Object.assign(detail.data, change);

    const error = errorOf(() => SeatSoldV3.parse(envelope));

    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.message).not.toContain('Ada');
  });

  test('that nobody upcasts is another event', () => {
    expect(errorOf(() => SeatSoldV2.parse(envelopeOf(SeatSoldV3))).message).toBe(
      'Got SeatSold.v3 from millrace.box-office; this consumer handles SeatSold.v2 or SeatSold.v1 from millrace.box-office',
    );
  });
});

describe('a contract that upcasts', () => {
  test('matches all that it accepts, and describes itself alone', () => {
    expect(SeatSoldV3.accepts).toEqual(['SeatSold.v3', 'SeatSold.v2', 'SeatSold.v1']);
    expect(SeatSoldV3.pattern()).toEqual({
      source: ['millrace.box-office'],
      'detail-type': ['SeatSold.v3', 'SeatSold.v2', 'SeatSold.v1'],
    });
    expect(SeatSoldV3.upcasts).toBe(SeatSoldV2);
    expect(SeatSold.upcasts).toBeUndefined();
    expect(JSON.stringify(SeatSoldV3.jsonSchema())).not.toContain('cents');
  });

  const definition = {
    ...shared,
    version: 2,
    summary: 'Test.',
    data: z.object({ seat: z.string() }),
    example: { seat: 'A1' },
  };
  const data = () => ({ seat: 'A1' });

  test.each([
    [
      'a version too old',
      { ...definition, version: 3 },
      /^SeatSold\.v3 of box-office cannot upcast SeatSold\.v1 of box-/,
    ],
    ['itself', { ...definition, version: 1 }, /^SeatSold\.v1 of box-office cannot upcast SeatSold\.v1/],
    ['another event', { ...definition, name: 'SeatReturned' }, /^SeatReturned\.v2 .* with the same name and service/],
    [
      "another service's event",
      { ...definition, service: 'bar' },
      /^SeatSold\.v2 of bar cannot upcast SeatSold\.v1 of box/,
    ],
  ])('cannot upcast %s', (_, changed, message) => {
    expect(() => defineEvent({ ...changed, upcasts: { from: SeatSold, data } })).toThrow(message);
  });

  test('takes upcasters of the right type alone', () => {
    // @ts-expect-error: an upcaster makes the data of the new version
    defineEvent({ ...definition, upcasts: { from: SeatSold, data: ({ euros }) => ({ seat: euros }) } });
    // @ts-expect-error: of those of the old one
    defineEvent({ ...definition, upcasts: { from: SeatSold, data: ({ row }) => ({ seat: String(row) }) } });
  });
});

describe('of several contracts an event is parsed by', () => {
  test.each([
    ['that of its version', [SeatSoldV3, SeatSold], 'SeatSold.v1', SeatSold],
    ['one that upcasts it, when there is no such', [SeatSoldV3], 'SeatSold.v1', SeatSoldV3],
    ['none that is older', [SeatSold, SeatSoldV2], 'SeatSold.v3', undefined],
  ])('%s', (_, contracts: readonly EventContract[], detailType, contract) => {
    expect(contractFor(contracts, detailType)).toBe(contract);
  });
});
