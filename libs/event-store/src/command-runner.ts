import { randomUUID } from 'node:crypto';
import { DuplicateEventError } from '@millrace/errors';
import type { Cause, InboxKey } from '@millrace/events';
import { logger } from '@millrace/telemetry';
import type { Aggregate } from './aggregate.ts';
import type { ConditionalWrite } from './commit.ts';
import type { DomainEvent, NewEvent, StoredEvent } from './domain-event.ts';
import { collect, type EventStore } from './event-store.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import { type SnapshotState, Snapshots } from './snapshots.ts';

/** What the events of a command inherit from the request or event behind it. */
export interface CommandContext extends Cause {
  /**
   * When what the command reports happened. Events that stay inside the service are dated by it; what the aggregate
   * tells the bus it decides now.
   */
  occurredAt?: Date | undefined;
  /** The event that caused the command: it is marked as handled in the same transaction. */
  inbox?: InboxKey | undefined;
  /** The aggregate's id was made just now: its stream is read only when it turns out to be there. */
  assumeNew?: boolean;
}

/** An aggregate as it is. */
export interface Loaded<State> {
  state: State;
  /** Version of its stream; 0 when it has no events. */
  version: number;
}

/** An aggregate after a command. */
export interface Outcome<State, Event> extends Loaded<State> {
  /** What the command added; nothing when it was done already. */
  events: readonly Event[];
}

/** Where the runner's time, ids, pauses and jitter come from. */
export interface CommandRunnerOptions {
  now?: () => Date;
  newId?: () => string;
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

interface Folded<State> extends Loaded<State> {
  /** Of the last event. */
  eventId: string;
  /** How many events were emitted. */
  sequence: number;
  /** Version of the snapshot it was folded from; 0 without one. */
  snapshotVersion: number;
  /** The events that caused the events since then. */
  causes: ReadonlySet<string>;
}

/** Aggregates that a runner remembers: those whose next command is about to come. */
const REMEMBERED = 500;

/** Runs commands on event-sourced aggregates: load, fold, decide, append. */
export class CommandRunner<State, Command, Event extends DomainEvent> {
  readonly #store: EventStore<Event>;
  readonly #aggregate: Aggregate<State, Command, Event>;
  readonly #snapshots: Snapshots<State> | undefined;
  readonly #options: CommandRunnerOptions;
  readonly #now: () => Date;
  readonly #newId: () => string;
  /** As this runner left them, by stream, the one longest ago first. */
  readonly #remembered = new Map<string, Folded<State>>();

  constructor(
    store: EventStore<Event>,
    aggregate: Aggregate<State, Command, Event>,
    options: CommandRunnerOptions = {},
  ) {
    this.#store = store;
    this.#aggregate = aggregate;
    this.#snapshots = aggregate.snapshots && new Snapshots(store, aggregate.snapshots);
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#newId = options.newId ?? randomUUID;
  }

  /**
   * The aggregate's current state: from all events, or from the last snapshot and the events since. One request to the
   * store for a stream that is younger than its first snapshot, otherwise two, as long as what is read fits into a page of a query (1 MB).
   */
  async load(id: string): Promise<Loaded<State>> {
    const { state, version } = await this.#load(this.#aggregate.streamOf(id));
    return { state, version };
  }

  /**
   * Decides a command on the aggregate's current state and appends what follows, with the mark of the event of `inbox`, which
   * stays even when nothing follows. When another writer was faster it is decided again on the new state, after a pause with
   * full jitter, until the time of the function is up.
   *
   * An aggregate that this runner has changed lately is not read again: it is decided on as it was left, and appended on
   * condition that it still is so. When `decide` throws or returns no events, no append checks that state. Then the aggregate is read
   * and decided on again.
   * @throws what `decide` throws, on the state that counts; DuplicateEventError when the event of `inbox` was handled before;
   * StreamConflictError when others kept being faster; what `EventStore.append` throws.
   */
  async execute(id: string, command: Command, context: CommandContext): Promise<Outcome<State, Event>> {
    const streamId = this.#aggregate.streamOf(id);
    let assumed = this.#remembered.get(streamId) ?? (context.assumeNew ? this.#empty() : undefined);
    const { after, events } = await retryOnConflict(async () => {
      let before = assumed;
      assumed = undefined;
      let decided = before && this.#decideAssumed(command, before, context);
      if (!before || !decided) {
        before = await this.#load(streamId);
        decided = this.#decide(command, before, context);
      }
      return { after: await this.#append(id, before, decided, context), events: decided };
    }, this.#options);
    this.#remember(streamId, after);
    if (events.length > 0 && this.#snapshots) {
      const snapshotVersion = await this.#snapshots.writeIfDue(streamId, after.snapshotVersion, after);
      this.#remember(streamId, { ...after, snapshotVersion });
    }
    return { state: after.state, version: after.version, events };
  }

  /** @throws what `decide` throws; DuplicateEventError when an event that was read is the effect of the one of `inbox` */
  #decide(command: Command, { state, causes }: Folded<State>, { inbox }: CommandContext): readonly Event[] {
    if (inbox && this.#aggregate.marksByCause && causes.has(inbox.eventId)) {
      throw new DuplicateEventError(inbox.consumer, inbox.eventId);
    }
    return this.#aggregate.decide(command, state);
  }

  /** On a state that may be outdated by now; undefined for an answer that no append would prove right. */
  #decideAssumed(command: Command, before: Folded<State>, context: CommandContext): readonly Event[] | undefined {
    try {
      const decided = this.#decide(command, before, context);
      return decided.length > 0 ? decided : undefined;
    } catch {
      return undefined;
    }
  }

  #remember(streamId: string, folded: Folded<State>): void {
    this.#remembered.delete(streamId);
    this.#remembered.set(streamId, folded);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  async #append(
    id: string,
    before: Folded<State>,
    events: readonly Event[],
    { inbox, occurredAt, assumeNew: _, ...cause }: CommandContext,
  ): Promise<Folded<State>> {
    const { streamOf, publish, alongside } = this.#aggregate;
    const now = this.#now();
    if (events.length === 0) {
      if (inbox) await this.#store.recordHandled(inbox, now);
      return before;
    }
    const newEvents: NewEvent<Event>[] = [];
    const writes: ConditionalWrite[] = [];
    let after = before;
    for (const event of events) {
      const eventId = this.#newId();
      const state = this.#aggregate.evolve(after.state, event);
      const context = { id: eventId, time: now, subject: id, sequence: after.sequence + 1, ...cause };
      const emit = publish?.(event, state, context);
      writes.push(...(alongside?.(event, state, context) ?? []));
      after = {
        ...after,
        state,
        version: after.version + 1,
        eventId,
        sequence: after.sequence + (emit ? 1 : 0),
        causes: cause.causationId === undefined ? after.causes : new Set([...after.causes, cause.causationId]),
      };
      const { correlationId, causationId } = cause;
      newEvents.push({ id: eventId, event, time: emit ? now : (occurredAt ?? now), correlationId, causationId, emit });
    }
    const marked = this.#aggregate.marksByCause && cause.causationId === inbox?.eventId;
    if (inbox && !marked) writes.push(this.#store.inboxMark(inbox, now));
    await this.#store.append(streamOf(id), before.version, newEvents, lastOfEachItem(writes));
    return after;
  }

  /**
   * Reads as many of the last events as lie between two snapshots. When there are fewer, they are all that the stream has, and
   * it has no snapshot yet. Otherwise the last snapshot is of one of them, unless it could not be written in time.
   */
  async #load(streamId: string): Promise<Folded<State>> {
    const everything = async () => this.#foldAll(this.#empty(), (await collect(this.#store.read(streamId))).events);
    if (!this.#snapshots) return everything();
    const { every } = this.#snapshots;
    const lastOnes = await collect(this.#store.read(streamId, { direction: 'backward', limit: every }));
    const events = lastOnes.events.toReversed();
    if (events.length < every) return this.#foldAll(this.#empty(), events);
    const snapshot = await this.#snapshots.read(streamId);
    if (snapshot) {
      const loaded = this.#foldSince(snapshot, events) ?? (await this.#loadSince(streamId, snapshot));
      if (loaded) return loaded;
      logger.warn('A snapshot is ignored: it is of another history', { stream: streamId });
    }
    return everything();
  }

  /** Reads from the snapshot's last event on: the stream must have it, or the snapshot is not of this stream. */
  async #loadSince(streamId: string, snapshot: SnapshotState<State>): Promise<Folded<State> | undefined> {
    const { events } = await collect(this.#store.read(streamId, { fromVersion: snapshot.version }));
    return this.#foldSince(snapshot, events);
  }

  /** @returns undefined when the snapshot's last event is not among these */
  #foldSince(snapshot: SnapshotState<State>, events: readonly StoredEvent<Event>[]): Folded<State> | undefined {
    const last = events.findIndex(({ version }) => version === snapshot.version);
    if (events[last]?.id !== snapshot.eventId) return undefined;
    const before = { ...snapshot, snapshotVersion: snapshot.version, causes: causesOf(events.slice(0, last + 1)) };
    return this.#foldAll(before, events.slice(last + 1));
  }

  #empty(): Folded<State> {
    const { initialState: state } = this.#aggregate;
    return { state, version: 0, eventId: '', sequence: 0, snapshotVersion: 0, causes: new Set() };
  }

  #foldAll(before: Folded<State>, events: readonly StoredEvent<Event>[]): Folded<State> {
    let folded = { ...before, causes: new Set([...before.causes, ...causesOf(events)]) };
    for (const { id, event, version, emitted } of events) {
      const state = this.#aggregate.evolve(folded.state, event);
      folded = { ...folded, state, version, eventId: id, sequence: folded.sequence + (emitted ? 1 : 0) };
    }
    return folded;
  }
}

/** A transaction may write an item once: of the rows of several events the last counts, as if each event had been alone. */
function lastOfEachItem(writes: readonly ConditionalWrite[]): ConditionalWrite[] {
  const itemOf = ({ write: { Put, Update, Delete, ConditionCheck } }: ConditionalWrite): string => {
    const change = Update ?? Delete ?? ConditionCheck;
    const { pk, sk } = Put?.Item ?? change?.Key ?? {};
    return JSON.stringify([(Put ?? change)?.TableName, pk, sk]);
  };
  return [...new Map(writes.map((each) => [itemOf(each), each])).values()];
}

function causesOf(events: readonly { causationId?: string | undefined }[]): Set<string> {
  return new Set(events.flatMap(({ causationId }) => causationId ?? []));
}
