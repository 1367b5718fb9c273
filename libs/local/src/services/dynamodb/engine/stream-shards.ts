import { createHash } from 'node:crypto';

/** A part of a stream: the records of some hours, in order. */
export interface Shard {
  id: string;
  parentId?: string;
  /** Number of its first record. */
  first: number;
  /** Number of its last record, once it is closed; less than `first` when it has none. */
  last?: number;
  openedAt: number;
  closedAt?: number;
}

/** Shards are closed after four hours, as AWS's are. */
export const SHARD_MS = 4 * 60 * 60 * 1000;

/** An open shard. @param arn of its stream */
export function openShard(arn: string, first: number, openedAt: number, parent?: Shard): Shard {
  const hash = createHash('sha256').update(`${arn} ${first} ${openedAt}`).digest('hex').slice(0, 8);
  const id = `shardId-${String(openedAt).padStart(20, '0')}-${hash}`;
  return { id, ...(parent && { parentId: parent.id }), first, openedAt };
}

/** AWS's sequence numbers have 21 to 40 digits. Those of a stream have equally many here, so that text sorts as numbers do. */
export function sequenceNumber(number: number): string {
  return `1${String(number).padStart(15, '0')}00000`;
}

/** The number of a record. @returns undefined when it is not one of this engine's */
export function numberOf(sequence: unknown): number | undefined {
  const [, number] = /^1(\d{15})00000$/.exec(String(sequence)) ?? [];
  return number === undefined ? undefined : Number(number);
}
