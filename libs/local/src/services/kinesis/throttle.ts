/** What a shard takes in a second. https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
const RATES = {
  writtenRecords: 1000,
  writtenBytes: 1024 * 1024,
  reads: 5,
  readBytes: 2 * 1024 * 1024,
} as const;

type Kind = keyof typeof RATES;

/** Refuses what is above the throughput of a shard: a call passes while something is left, and its size is taken from what comes. */
export class ShardThrottle {
  readonly #buckets = new Map<string, { left: number; at: number }>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True if a shard takes a record now, which is then counted. */
  takesRecord(shard: string, bytes: number): boolean {
    return this.#passes(shard, { writtenRecords: 1, writtenBytes: bytes });
  }

  /** True if a shard can be read now. Its bytes are counted with `read`. */
  takesRead(shard: string): boolean {
    return this.#passes(shard, { reads: 1, readBytes: 0 });
  }

  read(shard: string, bytes: number): void {
    this.#bucket(shard, 'readBytes').left -= bytes;
  }

  #passes(shard: string, amounts: Partial<Record<Kind, number>>): boolean {
    const buckets = Object.entries(amounts).map(
      ([kind, amount]) => [this.#bucket(shard, kind as Kind), amount] as const,
    );
    if (buckets.some(([{ left }]) => left < 1)) return false;
    for (const [bucket, amount] of buckets) bucket.left -= amount;
    return true;
  }

  #bucket(shard: string, kind: Kind): { left: number; at: number } {
    const id = `${kind} ${shard}`;
    const now = this.#now();
    const bucket = this.#buckets.get(id) ?? { left: RATES[kind], at: now };
    bucket.left = Math.min(RATES[kind], bucket.left + (Math.max(0, now - bucket.at) / 1000) * RATES[kind]);
    bucket.at = now;
    this.#buckets.set(id, bucket);
    return bucket;
  }
}
