import { createHash } from 'node:crypto';
import type { SourceRecord } from './stream-source.ts';

/**
 * Splits records over lanes that can be handled at the same time: those of one key stay in one lane, in order.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 *
 * @returns the lanes that have records
 */
export function lanesOf(records: readonly SourceRecord[], count: number): SourceRecord[][] {
  if (count === 1) return records.length === 0 ? [] : [[...records]];
  const lanes = Array.from({ length: count }, (): SourceRecord[] => []);
  for (const record of records) lanes[laneOf(record, count)]?.push(record);
  return lanes.filter(({ length }) => length > 0);
}

function laneOf({ orderKey }: SourceRecord, count: number): number {
  return createHash('sha256').update(orderKey()).digest().readUInt32BE() % count;
}

/** Cuts records, in order, into batches of at most so many. */
export function inBatches(records: readonly SourceRecord[], size: number): SourceRecord[][] {
  const count = Math.ceil(records.length / size);
  return Array.from({ length: count }, (_, index) => records.slice(index * size, (index + 1) * size));
}

/** How far records that are handled out of order have been handled without a gap. */
export class Progress {
  readonly #order: readonly string[];
  readonly #done = new Set<string>();
  #next = 0;

  /** @param order all sequence numbers, in the shard's order */
  constructor(order: readonly string[]) {
    this.#order = order;
  }

  /**
   * @param sequenceNumbers that have been handled
   * @returns the last one that can be remembered: all before it have been handled; undefined while that is none
   */
  add(sequenceNumbers: Iterable<string>): string | undefined {
    for (const sequenceNumber of sequenceNumbers) this.#done.add(sequenceNumber);
    while (this.#done.has(this.#order[this.#next] ?? '')) this.#next += 1;
    return this.#order[this.#next - 1];
  }
}
