import type { EventContract } from '@millrace/events';
import * as fc from 'fast-check';
import type { Consumer } from './deployed-stage.ts';
import { falseEvents, validEvents, waitsForOthers } from './events.ts';
import { hostileTexts, oversized } from './hostile-json.ts';

/** A message straight into a consumer's queue. */
export interface QueueInput {
  way: 'queue';
  kind: string;
  consumer: string;
  body: string;
  attributes: object;
  systemAttributes: object;
  /** What must become of it; without it, anything but its loss. */
  fate?: Fate;
}

/** `taken`: no dead letter comes of it. `dead`: one does. */
export type Fate = 'taken' | 'dead';

const text = (StringValue: string) => ({ DataType: 'String', StringValue });

/** Attributes that look like ours, and the one of X-Ray. */
const attributeSets: readonly { attributes: object; systemAttributes: object }[] = [
  { attributes: {}, systemAttributes: {} },
  {
    attributes: { ErrorCode: text('FORGED'), ErrorMessage: text('forged'), FailureKind: text('permanent') },
    systemAttributes: {},
  },
  {
    attributes: { ParkedFrom: text('elsewhere'), EventDigest: text('forged'), Attempts: text('-1') },
    systemAttributes: {},
  },
  { attributes: { RULE_ARN: text('arn:aws:events:::rule/x'), ERROR_CODE: text('NO_RESOURCE') }, systemAttributes: {} },
  { attributes: { CorrelationId: text('a\nb'), __proto__x: text('x'.repeat(5_000)) }, systemAttributes: {} },
  {
    attributes: {
      Bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]).toString('base64') },
      N: { DataType: 'Number', StringValue: '1e125' },
    },
    systemAttributes: {},
  },
  ...[
    'Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1;Reemission=99999999999999999999',
    'garbage;Reemission=-1;;;',
    'x'.repeat(2_000),
    ';Reemission=1',
  ].map((header) => ({ attributes: {}, systemAttributes: { AWSTraceHeader: text(header) } })),
];

/** SQS's largest message, which leaves no room for a reason beside it. */
const MIB = 1024 * 1024;
const sizes = [128 * 1024, 256 * 1024, 256 * 1024 + 1, MIB - 2_048, MIB - 100, MIB - 1, MIB, MIB + 1];

/** Messages to every consumer's queue, from somebody who may write to it. */
export function queueInputs(
  consumers: readonly Consumer[],
  contracts: readonly EventContract[],
  orderIds: readonly string[],
): fc.Arbitrary<QueueInput> {
  return fc.oneof(
    ...consumers.flatMap((consumer) =>
      consumer.contracts.map((contract) => {
        const events = validEvents(contract, orderIds);
        const input = (weight: number, bodies: fc.Arbitrary<{ kind: string; body: string; fate?: Fate }>) => ({
          weight,
          arbitrary: fc
            .tuple(bodies, fc.constantFrom(...attributeSets))
            .map(
              ([body, attributes]): QueueInput => ({ way: 'queue', consumer: consumer.name, ...body, ...attributes }),
            ),
        });
        return fc.oneof(
          input(
            20,
            events.map((event) => ({ kind: 'valid', body: JSON.stringify(event), fate: 'taken' as const })),
          ),
          input(
            45,
            hostileTexts(events)
              .filter(({ text }) => !waitsForOthers(text, orderIds))
              .map(({ kind, text, broken }) => ({
                kind: `body: ${kind}`,
                body: text,
                ...(broken && { fate: 'dead' as const }),
              })),
          ),
          input(
            34,
            falseEvents(events, contracts, { envelope: true, orderIds }).map(({ kind, refused, event }) => ({
              kind: `event: ${kind}`,
              body: JSON.stringify(event),
              ...(refused && { fate: 'dead' as const }),
            })),
          ),
          input(
            1,
            oversized(events, sizes).map(({ text }) => ({ kind: 'body: at a limit', body: text })),
          ),
        );
      }),
    ),
  );
}
