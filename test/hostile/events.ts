import type { EventContract } from '@millrace/events';
import * as fc from 'fast-check';
import { valuesOf } from './json-schema-values.ts';

/** An event as a rule hands it to a queue. */
export interface Envelope {
  version: string;
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  time: string;
  region: string;
  resources: unknown[];
  'replay-name'?: unknown;
  detail: { metadata: Record<string, unknown>; data: Record<string, unknown> };
}

/**
 * Events that satisfy their contract and that every consumer can handle: about an order that exists, with a SKU in no two
 * lines.
 * @param orderIds of orders that were placed
 */
export function validEvents(contract: EventContract, orderIds: readonly string[]): fc.Arbitrary<Envelope> {
  const detail = valuesOf(contract.jsonSchema()) as fc.Arbitrary<Envelope['detail']>;
  // Fixed, so that a seed says everything, and ahead, so that no event is ever past the deduplication window.
  const times = fc.date({ min: new Date('2099-06-01'), max: new Date('2099-06-30'), noInvalidDate: true });
  return fc
    .tuple(detail, fc.uuid(), fc.uuid(), times, fc.constantFrom(...orderIds))
    .map(([{ metadata, data }, id, envelopeId, time, orderId]) => ({
      version: '0',
      id: envelopeId,
      'detail-type': contract.detailType,
      source: contract.source,
      account: '000000000000',
      time: time.toISOString().replace(/\.\d+Z$/, 'Z'),
      region: 'us-east-1',
      resources: [],
      detail: {
        // The first of an aggregate of its own: no projection has to wait for another one.
        metadata: {
          ...metadata,
          id,
          subject: id,
          sequence: 1,
          timestamp: time.toISOString(),
          timestampEpoch: time.getTime(),
        },
        data: {
          ...data,
          ...('orderId' in data ? { orderId } : {}),
          ...(Array.isArray(data.lines)
            ? { lines: data.lines.map((line, index) => ({ ...line, sku: `SKU-${index}` })) }
            : {}),
        },
      },
    }));
}

/**
 * True if a consumer waits for another event before it handles this one, or the one of which this is the detail: a projection for the
 * earlier ones of its aggregate, the stock for the reservation of a shipment. It tries ten times, in up to 13 minutes, and a run would
 * wait with it: such events are left out.
 * @param orderIds of orders that were placed
 */
export function waitsForOthers(text: string, orderIds: readonly string[]): boolean {
  try {
    const { metadata, data, detail } = JSON.parse(text);
    const { sequence, name } = metadata ?? detail.metadata;
    if (Number.isSafeInteger(sequence) && sequence > 1) return true;
    return ['ShipmentCreated', 'PickUpReady'].includes(name) && !orderIds.includes((data ?? detail.data).orderId);
  } catch {
    return false;
  }
}

/** One way to falsify an event. */
interface Falsification {
  kind: string;
  /** No consumer may take it. */
  refused: boolean;
  apply: (event: Envelope, random: number, others: readonly EventContract[]) => void;
}

const ids = [
  '',
  ' ',
  'a\nb',
  'a\r\nb',
  '\u0000',
  '\ud800',
  '#',
  'x'.repeat(3_000),
  'x'.repeat(100_000),
  '__proto__',
  '👾',
];
const noTimes = [
  '',
  'yesterday',
  '1970-01-01',
  '2026-13-45T99:99:99Z',
  '2026-01-01T00:00:00',
  '+275760-09-13T00:00:00.001Z',
];
const farTimes = ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];

function another(event: Envelope, contracts: readonly EventContract[], random: number): EventContract {
  const others = contracts.filter(
    ({ source, detailType }) => source !== event.source && detailType !== event['detail-type'],
  );
  return others[random % others.length] as EventContract;
}

const oneOf = <Item>(items: readonly Item[], random: number) => items[random % items.length] as Item;

/** What a forger does with the envelope: for whoever can write to a queue, or own the bus. */
const envelopeFalsifications: readonly Falsification[] = [
  {
    kind: 'source of another service',
    refused: true,
    apply: (event, random, contracts) => {
      event.source = another(event, contracts, random).source;
    },
  },
  {
    kind: 'detail-type of another event',
    refused: true,
    apply: (event, random, contracts) => {
      event['detail-type'] = another(event, contracts, random).detailType;
    },
  },
  {
    kind: 'detail-type that nobody knows',
    refused: true,
    apply: (event, random) => {
      event['detail-type'] = oneOf(
        ['MadeUp.v1', 'OrderPlaced', 'OrderPlaced.v99', 'orderplaced.v1', '__proto__', ''],
        random,
      );
    },
  },
  {
    kind: 'detail as text',
    refused: true,
    apply: (event) => {
      (event as { detail: unknown }).detail = JSON.stringify(event.detail);
    },
  },
  {
    kind: 'replay-name',
    refused: false,
    apply: (event, random) => {
      event['replay-name'] = oneOf(['replay-1', '', 'a\nb', 'x'.repeat(5_000), 42, null, {}, '__proto__'], random);
    },
  },
  {
    kind: 'time of the envelope',
    refused: false,
    apply: (event, random) => {
      event.time = oneOf([...noTimes, ...farTimes], random);
    },
  },
];

/** What a forger does with the metadata. */
const metadataFalsifications: readonly Falsification[] = [
  {
    kind: 'metadata.service disagrees',
    refused: true,
    apply: (event, random, contracts) => {
      event.detail.metadata.service = another(event, contracts, random).service;
    },
  },
  {
    kind: 'metadata.name disagrees',
    refused: true,
    apply: (event, random, contracts) => {
      event.detail.metadata.name = another(event, contracts, random).name;
    },
  },
  {
    kind: 'metadata.version disagrees',
    refused: true,
    apply: (event, random) => {
      event.detail.metadata.version = oneOf([0, 2, -1, 1.5, 99, Number.MAX_SAFE_INTEGER], random);
    },
  },
  {
    kind: 'sequence out of range',
    refused: true,
    apply: (event, random) => {
      event.detail.metadata.sequence = oneOf([-1, 0, 1.5, -Number.MAX_SAFE_INTEGER, 2 ** 53 + 2], random);
    },
  },
  {
    kind: 'timestamp that is none',
    refused: true,
    apply: (event, random) => {
      event.detail.metadata.timestamp = oneOf(noTimes, random);
    },
  },
  {
    kind: 'timestamp long ago or far ahead',
    refused: false,
    apply: (event, random) => {
      event.detail.metadata.timestamp = oneOf(farTimes, random);
    },
  },
  {
    kind: 'timestampEpoch out of range',
    refused: true,
    apply: (event, random) => {
      event.detail.metadata.timestampEpoch = oneOf([-1, 1.5, 1e308, 2 ** 53 + 2], random);
    },
  },
  ...(['id', 'correlationId', 'causationId', 'traceparent', 'subject'] as const).map((name) => ({
    kind: `unusual metadata.${name}`,
    refused: false,
    apply: (event: Envelope, random: number) => {
      event.detail.metadata[name] = oneOf(ids, random);
    },
  })),
  {
    kind: 'subject of another aggregate',
    refused: false,
    apply: (event) => {
      event.detail.metadata.subject = 'another-aggregate';
    },
  },
  {
    kind: 'order that nobody placed',
    refused: false,
    apply: (event, random) => {
      event.detail.data.orderId = oneOf([...ids, '00000000-0000-4000-8000-000000000000'], random);
    },
  },
  {
    kind: 'many lines, or the same one twice',
    refused: false,
    apply: (event, random) => {
      const { lines } = event.detail.data;
      if (!Array.isArray(lines)) return;
      const [line] = lines;
      const count = oneOf([2, 41, 99, 150], random);
      event.detail.data.lines = Array.from({ length: count }, (_, index) => ({
        ...line,
        ...(random % 3 === 0 ? {} : { sku: `SKU-${index}` }),
      }));
    },
  },
];

/** A falsified event. */
export interface FalseEvent {
  kind: string;
  refused: boolean;
  event: Envelope;
}

/**
 * Events that somebody has falsified.
 * @param contracts all there are, to take somebody else's identity from
 * @param orderIds of orders that were placed
 * @param envelope whether the envelope is falsified too, or only the metadata
 */
export function falseEvents(
  events: fc.Arbitrary<Envelope>,
  contracts: readonly EventContract[],
  { envelope, orderIds }: { envelope: boolean; orderIds: readonly string[] },
): fc.Arbitrary<FalseEvent> {
  const falsifications = [...(envelope ? envelopeFalsifications : []), ...metadataFalsifications];
  return fc
    .tuple(events, fc.constantFrom(...falsifications), fc.nat())
    .map(([original, { kind, refused, apply }, random]) => {
      const event = structuredClone(original);
      apply(event, random, contracts);
      return { kind, refused, event };
    })
    .filter(({ event }) => !waitsForOthers(JSON.stringify(event), orderIds));
}
