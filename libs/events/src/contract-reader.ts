import { guard, redact } from '@millrace/privacy';
import { redactionOf } from '@millrace/privacy/personal';
import * as z from 'zod';
import { envelopeMismatches } from './envelope-mismatch.ts';
import { EnvelopeMismatchError, UnexpectedEventError } from './errors.ts';
import type { Event, EventEnvelope, ReadableContract } from './event-contract.ts';
import type { Metadata } from './metadata.ts';
import { markAsExtension, validated } from './validation.ts';

/** What a contract reads, and how. */
export interface ContractReader<DetailType extends string, Data>
  extends Pick<ReadableContract<DetailType, Data>, 'parse' | 'redact' | 'pattern' | 'jsonSchema'> {
  /** @throws SchemaViolationError naming each path that breaks the contract */
  check(detail: unknown): { metadata: Metadata; data: Data };
  /** Marks an event, or one that is not emitted yet, with what of it may be shown. */
  guard<Value>(event: Value): Value;
}

/**
 * How events of one detail-type are read.
 * @param accepts the detail-types for its pattern and its errors; it parses its own alone
 */
export function contractReader<DetailType extends string, Data>({
  source,
  detailType,
  accepts,
  metadata,
  data,
}: {
  source: string;
  detailType: DetailType;
  accepts: readonly string[];
  metadata: z.ZodType<Metadata>;
  data: z.ZodType<Data>;
}): ContractReader<DetailType, Data> {
  const detailSchema: z.ZodType<{ metadata: Metadata; data: Data }> = z.object({ metadata, data });
  const redaction = redactionOf(
    z.object({ source: z.string(), detailType: z.string(), time: z.string(), metadata, data }),
  );
  const dataRedaction = redactionOf(data);
  return {
    check: (detail) => validated(detail, detailSchema, detailType),
    guard: (event) => guard(event, redaction),

    parse(envelope: EventEnvelope): Event<DetailType, Data> {
      const { source: from, 'detail-type': type } = envelope;
      if (from !== source || type !== detailType) {
        throw new UnexpectedEventError(from, type, [`${accepts.join(' or ')} from ${source}`]);
      }
      const mismatches = envelopeMismatches(envelope);
      if (mismatches.length > 0) throw new EnvelopeMismatchError(detailType, mismatches);
      return guard({ source, detailType, ...validated(envelope.detail, detailSchema, detailType) }, redaction);
    },

    redact: (value) => redact(value, dataRedaction),

    pattern: () => ({ source: [source], 'detail-type': [...accepts] }),

    jsonSchema: () =>
      z.toJSONSchema(detailSchema, { target: 'draft-04', io: 'input', override: markAsExtension }) as Record<
        string,
        unknown
      >,
  };
}
