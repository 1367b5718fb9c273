import type { Input } from '../../core/access.ts';
import type { Clock } from '../../core/clock.ts';
import { invalidArgument, notFound } from './errors.ts';
import type { Consumer, Shard, Stream } from './stream.ts';
import type { StreamStore } from './stream-store.ts';

/** What all operations need: the streams by name, and where and when they run. */
export class StreamDirectory {
  readonly accountId: string;
  readonly region: string;
  readonly clock: Clock;
  readonly store: StreamStore;
  readonly #streams = new Map<string, Stream>();
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(options: { accountId: string; region: string; clock: Clock; store: StreamStore }) {
    this.accountId = options.accountId;
    this.region = options.region;
    this.clock = options.clock;
    this.store = options.store;
    for (const stream of this.store.streams()) this.#streams.set(stream.name, stream);
  }

  get now(): number {
    return this.clock.now();
  }

  arnOf(name: string): string {
    return `arn:aws:kinesis:${this.region}:${this.accountId}:stream/${name}`;
  }

  consumerArnOf(stream: Stream, { name, createdAt }: Consumer): string {
    return `${this.arnOf(stream.name)}/consumer/${name}:${Math.floor(createdAt / 1000)}`;
  }

  /** The streams by name. */
  all(): Stream[] {
    return [...this.#streams.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  find(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** @throws AwsError ResourceNotFoundException */
  named(name: string): Stream {
    const stream = this.find(name);
    if (!stream) throw notFound(`Stream ${name} under account ${this.accountId} not found.`);
    return stream;
  }

  /**
   * The stream that a request names, by its name, its ARN, or both.
   * @throws AwsError InvalidArgumentException, ResourceNotFoundException
   */
  of({ StreamName, StreamARN }: Input): Stream {
    const byArn = StreamARN === undefined ? undefined : this.nameIn(String(StreamARN));
    const name = StreamName === undefined ? byArn : String(StreamName);
    if (name === undefined) throw invalidArgument('StreamName or StreamARN must be given.');
    if (byArn !== undefined && byArn !== name) {
      throw invalidArgument(`StreamName ${name} and StreamARN ${String(StreamARN)} are of different streams.`);
    }
    return this.named(name);
  }

  /** The name in the ARN of a stream or of one of its consumers. @throws AwsError ResourceNotFoundException for another account or region */
  nameIn(arn: string): string {
    const name = arn.split(':stream/')[1]?.split('/')[0] ?? '';
    if (arn !== this.arnOf(name) && !arn.startsWith(`${this.arnOf(name)}/`)) {
      throw notFound(`Stream ${name} under account ${arn.split(':')[4]} not found.`);
    }
    return name;
  }

  /** Keeps a stream, or a change of it. */
  save(stream: Stream): void {
    this.store.save(stream);
    this.#streams.set(stream.name, stream);
  }

  delete({ name }: Stream): void {
    this.store.delete(name);
    this.#streams.delete(name);
    this.changed(name);
  }

  /** Milliseconds since the epoch: older records are gone. */
  horizon({ retentionHours }: Stream): number {
    return this.now - retentionHours * 3_600_000;
  }

  /** The shards that still have, or may get, records. */
  keptShards(stream: Stream): Shard[] {
    const horizon = this.horizon(stream);
    return stream.shards.filter(({ closedAt }) => closedAt === undefined || closedAt > horizon);
  }

  /** Calls a listener when a stream has new records or shards. @returns ends it */
  listen(name: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  changed(name: string): void {
    for (const listener of this.#listeners.get(name) ?? []) listener();
  }

  /** Forgets records that are older than their stream keeps them, and closed shards without any. */
  expire(): void {
    for (const stream of this.#streams.values()) {
      this.store.expire(stream.name, this.horizon(stream));
      const kept = this.keptShards(stream);
      if (kept.length < stream.shards.length) this.save({ ...stream, shards: kept });
    }
  }
}
