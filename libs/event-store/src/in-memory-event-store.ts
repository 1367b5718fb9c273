import type { EmittableEvent, InboxKey } from '@millrace/events';
import type { ConditionalWrite } from './commit.ts';
import type { DomainEvent, NewEvent, StoredEvent } from './domain-event.ts';
import { StreamConflictError } from './errors.ts';
import {
  assertAppendable,
  collect,
  type EventStore,
  type EventStream,
  type ReadOptions,
  type Snapshot,
} from './event-store.ts';
import { inboxMark } from './inbox.ts';
import { jsonText } from './json-text.ts';
import { newestVersionOf, type Upcasters, upcast } from './upcasters.ts';

/** An event without its content, which is kept as text so that no caller can change it. */
interface Kept extends Omit<StoredEvent<DomainEvent>, 'event'> {
  text: string;
  schemaVersion: number;
  recordedAt: string;
}

/** An event store for unit tests. */
export class InMemoryEventStore<Event extends DomainEvent> implements EventStore<Event> {
  /** What a relay would have emitted, in the order of the appends. */
  readonly outbox: EmittableEvent[] = [];
  readonly #streams = new Map<string, Kept[]>();
  readonly #marks = new Set<string>();
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #upcasters: Upcasters;
  readonly #now: () => Date;

  constructor({ upcasters = {}, now = () => new Date() }: { upcasters?: Upcasters; now?: () => Date } = {}) {
    this.#upcasters = upcasters;
    this.#now = now;
  }

  async *read(streamId: string, options: ReadOptions = {}): AsyncGenerator<StoredEvent<Event>> {
    const { direction, fromVersion = 0, toVersion = Number.POSITIVE_INFINITY, limit, asOf } = options;
    const stream = this.#streams.get(streamId) ?? [];
    const later = asOf ? stream.findIndex(({ recordedAt }) => recordedAt > asOf.toISOString()) : -1;
    const wanted = stream
      .slice(0, later === -1 ? undefined : later)
      .filter(({ version }) => version >= fromVersion && version <= toVersion);
    if (direction === 'backward') wanted.reverse();
    for (const { text, schemaVersion, ...rest } of wanted.slice(0, limit)) {
      const where = `Event ${rest.version} of stream ${streamId}`;
      // What is stored is what `append` took, in this version or an older one.
      yield { ...rest, event: upcast(this.#upcasters, JSON.parse(text), schemaVersion, where) as DomainEvent as Event };
    }
  }

  load(streamId: string): Promise<EventStream<Event>> {
    return collect(this.read(streamId));
  }

  /** @throws TypeError for anything in `alongside` that is no inbox mark, besides what every store throws */
  async append(
    streamId: string,
    expectedVersion: number,
    newEvents: readonly NewEvent<Event>[],
    alongside: readonly ConditionalWrite[] = [],
  ): Promise<void> {
    assertAppendable(streamId, newEvents);
    const stream = this.#streams.get(streamId) ?? [];
    const recordedAt = this.#now().toISOString();
    const kept = newEvents.map(({ id, event, time, correlationId, causationId, emit }, index): Kept => {
      return {
        id,
        text: jsonText(event, event.type),
        schemaVersion: newestVersionOf(this.#upcasters, event.type),
        time: time.toISOString(),
        recordedAt,
        version: expectedVersion + index + 1,
        correlationId,
        ...(causationId ? { causationId } : {}),
        ...(emit ? { emitted: true } : {}),
      };
    });
    const marks = alongside.map((mark) => ({ mark, key: markKey(mark) }));
    const duplicate = marks.find(({ key }) => this.#marks.has(key));
    if (duplicate?.mark.onConditionFailed) throw duplicate.mark.onConditionFailed({});
    if (stream.length !== expectedVersion) {
      if (stream[expectedVersion]?.id === newEvents[0]?.id) return;
      throw new StreamConflictError(streamId, expectedVersion, stream.length);
    }
    for (const { key } of marks) this.#marks.add(key);
    this.#streams.set(streamId, [...stream, ...kept]);
    this.outbox.push(...newEvents.flatMap(({ emit }) => emit ?? []));
  }

  inboxMark(key: InboxKey, now: Date): ConditionalWrite {
    return inboxMark('in memory', key, now);
  }

  async recordHandled(key: InboxKey, now: Date): Promise<void> {
    const mark = this.inboxMark(key, now);
    if (this.#marks.has(markKey(mark))) throw mark.onConditionFailed?.({});
    this.#marks.add(markKey(mark));
  }

  async readSnapshot(streamId: string, stateVersion: number): Promise<Snapshot | undefined> {
    return this.#snapshots.get(`${streamId} ${stateVersion}`);
  }

  async writeSnapshot(streamId: string, snapshot: Snapshot): Promise<void> {
    const key = `${streamId} ${snapshot.stateVersion}`;
    const present = this.#snapshots.get(key);
    if (!present || present.version < snapshot.version) this.#snapshots.set(key, { ...snapshot });
  }
}

function markKey({ write }: ConditionalWrite): string {
  const { pk, sk } = write.Put?.Item ?? {};
  if (sk !== 'INBOX') throw new TypeError('An in-memory store takes inbox marks alongside events, and no other writes');
  return pk;
}
