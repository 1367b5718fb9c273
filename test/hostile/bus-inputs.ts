import * as fc from 'fast-check';
import type { DeployedStage } from './deployed-stage.ts';
import { type Envelope, falseEvents, validEvents, waitsForOthers } from './events.ts';
import { hostileTexts, paddedTo } from './hostile-json.ts';
import type { Fate } from './queue-inputs.ts';

/** A call of PutEvents. */
export interface BusInput {
  way: 'bus';
  kind: string;
  /** Who signs it. */
  accessKeyId: string;
  /** The call's body. */
  body: string;
  /** What it puts, once or several times; absent where the call itself is none. */
  entry?: BusEntry;
  /** What must become of it at every consumer. */
  fate?: Fate;
  /** EventBridge may not take it. */
  refused?: boolean;
}

/** An entry of PutEvents. */
export interface BusEntry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time?: number;
  Resources?: unknown;
  TraceHeader?: string;
}

const MIB = 1024 * 1024;
/** Of the detail: with source, detail-type and time it is at the bus's limit a little earlier. */
const sizes = [256 * 1024, MIB - 20_000, MIB, MIB + 1];

const entryOf = (busName: string, { source, 'detail-type': detailType, detail, time }: Envelope): BusEntry => ({
  EventBusName: busName,
  Source: source,
  DetailType: detailType,
  Detail: JSON.stringify(detail),
  Time: Date.parse(time) / 1000,
});

/** Producers escape the two characters that may stand in JSON and that SQS refuses. Raw ones have a way in of their own: the queue. */
function acceptableToQueues(text: string): string {
  return text.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** Attacks on the entry, not on the event in it. */
const entryAttacks: readonly { kind: string; change: (entry: Record<string, unknown>) => object }[] = [
  { kind: 'entry: no source', change: ({ Source: _, ...entry }) => entry },
  { kind: 'entry: no detail', change: ({ Detail: _, ...entry }) => entry },
  { kind: 'entry: detail is no text', change: (entry) => ({ ...entry, Detail: { a: 1 } }) },
  { kind: 'entry: source of AWS', change: (entry) => ({ ...entry, Source: 'aws.s3' }) },
  { kind: 'entry: resources are no texts', change: (entry) => ({ ...entry, Resources: [1, null, {}] }) },
  { kind: 'entry: time that is none', change: (entry) => ({ ...entry, Time: 'yesterday' }) },
  { kind: 'entry: time out of range', change: (entry) => ({ ...entry, Time: 1e300 }) },
  { kind: 'entry: bus name of 2,000 characters', change: (entry) => ({ ...entry, EventBusName: 'x'.repeat(2_000) }) },
];

/**
 * Calls of PutEvents: by the relay that owns the event, by other functions, by an operator.
 * @param stage `scheduled` has the detail-types that schedules alone put on the bus: a relay that puts them is an attacker
 */
export function busInputs(
  { busName, contracts, scheduled }: Pick<DeployedStage, 'busName' | 'contracts' | 'scheduled'>,
  orderIds: readonly string[],
): fc.Arbitrary<BusInput> {
  return fc.oneof(
    ...contracts.map((contract) => {
      const events = validEvents(contract, orderIds);
      const owner = `${contract.source.replace('.', '-')}-dev-relay`;
      const put = (entry: BusEntry, kind: string, copies = 1, accessKeyId = owner): BusInput => ({
        way: 'bus',
        kind,
        accessKeyId,
        entry,
        body: JSON.stringify({ Entries: Array.from({ length: copies }, () => entry) }),
      });
      const call = (kind: string, accessKeyId: string, body: string): BusInput => ({
        way: 'bus',
        kind,
        accessKeyId,
        body,
        refused: true,
      });
      const entries = events.map((event) => entryOf(busName, event));
      const byOthers = (...others: string[]) =>
        fc
          .tuple(
            entries,
            fc.constantFrom('operator', 'millrace-orders-dev-postOrder', 'millrace-nobody-dev-relay', ...others),
          )
          .map(([entry, accessKeyId]): BusInput => ({ ...put(entry, 'not the owner', 1, accessKeyId), refused: true }));
      if (scheduled.has(contract.detailType)) return byOthers(owner);
      return fc.oneof(
        {
          weight: 20,
          arbitrary: fc.tuple(entries, fc.constantFrom(1, 1, 1, 2, 10)).map(
            ([entry, copies]): BusInput => ({
              ...put(entry, copies > 1 ? 'valid, several times' : 'valid', copies),
              fate: 'taken',
            }),
          ),
        },
        {
          weight: 35,
          arbitrary: fc
            .tuple(
              entries,
              hostileTexts(events.map(({ detail }) => detail)).filter(({ text }) => !waitsForOthers(text, orderIds)),
            )
            .map(
              ([entry, { kind, text, broken }]): BusInput => ({
                ...put({ ...entry, Detail: acceptableToQueues(text) }, `detail: ${kind}`),
                ...(broken && { refused: true }),
              }),
            ),
        },
        {
          weight: 25,
          arbitrary: falseEvents(events, contracts, { envelope: false, orderIds }).map(
            ({ kind, refused, event }): BusInput => ({
              ...put(entryOf(busName, event), `event: ${kind}`),
              ...(refused && { fate: 'dead' as const }),
            }),
          ),
        },
        {
          weight: 8,
          arbitrary: fc
            .tuple(
              falseEvents(events, contracts, { envelope: true, orderIds }),
              fc.constantFrom(owner, 'operator', 'millrace-re-emitter-dev-reemit', ''),
            )
            .map(
              ([{ kind, event }, accessKeyId]): BusInput =>
                put(entryOf(busName, event), `envelope: ${kind}`, 1, accessKeyId),
            ),
        },
        { weight: 4, arbitrary: byOthers() },
        {
          weight: 4,
          arbitrary: fc
            .tuple(entries, fc.constantFrom(...entryAttacks))
            .map(
              ([entry, { kind, change }]): BusInput =>
                call(kind, owner, JSON.stringify({ Entries: [change({ ...entry })] })),
            ),
        },
        {
          weight: 3,
          arbitrary: hostileTexts(entries.map((entry) => ({ Entries: [entry] })))
            .filter(({ broken }) => broken)
            .map(({ kind, text }): BusInput => call(`call: ${kind}`, owner, text)),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(entries, fc.constantFrom(...sizes))
            .map(
              ([entry, bytes]): BusInput =>
                put({ ...entry, Detail: paddedTo(bytes, entry.Detail) }, 'detail: at a limit'),
            ),
        },
      );
    }),
  );
}
