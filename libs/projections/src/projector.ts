import { isUnavailable, TransientError } from '@millrace/errors';
import { type EmittedEvents, type Item, idOf, retryOnConflict, settleTogether } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { type Change, itemsToRead } from './change.ts';
import { eventOf, isMadeOf, type Projection } from './define-projection.ts';
import { firstPointer, type Pointer, Pointers, pointerAmong, pointerKey } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/** Where a version that is being built finds the events that it has not had. */
export interface History {
  emitted: Pick<EmittedEvents, 'of'>;
  /** The stream of an aggregate. */
  streamOf: (subject: string) => string;
}

/** Marks that are remembered: those of aggregates whose next events are about to come. */
const REMEMBERED_MARKS = 1_000;

/** Keeps projections up to date, batch by batch, in whatever order and however often these come. */
export class Projector {
  readonly #table: ProjectionTable;
  readonly #projections: readonly Projection[];
  readonly #history: History | undefined;
  /** As they were last seen, by projection. */
  readonly #pointers = new Map<string, Pointer>();
  /** Those written last, the oldest first: a mark says where the row is that the aggregate's next event changes. */
  readonly #marks = new Map<string, Item>();

  /**
   * @param history leave it out where the events are another service's, whose table is not to be read: a version that is being built
   *   then gets the events that come, and those before them from the rebuild
   * @throws TypeError for a projection without a history whose events wait for those before them: they would wait for the rebuild
   */
  constructor(table: ProjectionTable, projections: readonly Projection[], history?: History) {
    const waiting = projections.find(({ late }) => late === 'drop');
    if (!history && waiting)
      throw new TypeError(`${waiting.name} needs a history, because its events wait for those before them`);
    this.#table = table;
    this.#projections = projections;
    this.#history = history;
  }

  /**
   * Applies events to all projections that are made of such events: those of a batch in one transaction, so that a row that
   * many of them change is written once. An event that cannot be applied is taken out, and the others go on. It is then
   * applied to each projection on its own, so that one that fails keeps no other back.
   *
   * @param events in any order; the same one may come twice
   * @returns for each event whether anything changed (false for one that was in already), or why it failed:
   *   SequenceGapError when a projection has not had an earlier event of the aggregate; what `ProjectionTable.apply` throws
   * @example const [result] = await projector.handleAll([event]);
   */
  async handleAll(events: readonly Event[]): Promise<PromiseSettledResult<boolean>[]> {
    // Where events have to be divided, those that others wait for go first.
    const inOrder = events.toSorted((a, b) => (a.metadata.sequence ?? 0) - (b.metadata.sequence ?? 0));
    const changed = new Set<string>();
    const errors = await settleTogether(inOrder, async (some) => {
      for (const id of await this.#apply(some)) changed.add(id);
    });
    const errorOf = new Map(inOrder.map((event, index) => [event, errors[index]]));
    return events.map((event) => {
      const reason = errorOf.get(event);
      if (reason) return { status: 'rejected', reason };
      return { status: 'fulfilled', value: changed.has(event.metadata.id) };
    });
  }

  /**
   * As `handleAll`, for one event.
   * @returns whether anything changed; false for an event that was in already
   * @throws why it failed
   */
  async handle(event: Event): Promise<boolean> {
    const [result] = await this.handleAll([event]);
    if (result?.status === 'rejected') throw result.reason;
    return result?.value ?? false;
  }

  /** @returns the ids of the events that changed anything */
  async #apply(events: readonly Event[]): Promise<Iterable<string>> {
    try {
      return await retryOnConflict(() => this.#applyTogether(events));
    } catch (error) {
      const [event, ...others] = events;
      if (!event || others.length > 0 || isUnavailable(error)) throw error;
      // Whatever it was, it shows again in the projection that it belongs to.
      return (await this.#applyApart(event)) ? [event.metadata.id] : [];
    }
  }

  /**
   * The marks and rows are read with the pointers, of the versions that the pointers named the last time; when they name
   * others by now, once more.
   *
   * Every attempt reads the pointers, strongly consistent, and writes by none older: who works by one that was read before
   * the event was stored could miss a rebuild that has passed the event's stream already. It does not matter which of the
   * items of one request is read first, as every write is on condition that what it changes is as it was read.
   */
  async #applyTogether(events: readonly Event[]): Promise<Iterable<string>> {
    const concerned = this.#projections.filter((projection) =>
      events.some(({ detailType }) => isMadeOf(projection, detailType)),
    );
    for (;;) {
      const guesses = concerned.map((projection) => ({
        projection,
        pointer: this.#pointers.get(projection.name) ?? firstPointer,
      }));
      const changes = (
        await Promise.all(guesses.map(({ projection, pointer }) => this.#changes(projection, pointer, events)))
      ).flat();
      const known = await this.#table.read([
        ...concerned.map(({ name }) => pointerKey(name)),
        ...changes.flatMap((change) => itemsToRead(change, this.#marks)),
      ]);
      let outdated = false;
      for (const { projection, pointer: guess } of guesses) {
        const pointer = pointerAmong(known, projection.name);
        outdated ||= pointer.live !== guess.live || pointer.building?.version !== guess.building?.version;
        this.#pointers.set(projection.name, pointer);
      }
      if (outdated) continue;
      const { marks, eventIds } = await this.#table.write(changes, known);
      this.#remember(marks);
      return eventIds;
    }
  }

  async #applyApart(event: Event): Promise<boolean> {
    const concerned = this.#projections.filter((projection) => isMadeOf(projection, event.detailType));
    const results = await Promise.allSettled(concerned.map((projection) => this.#applyTo(projection, event)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // What can be tried again comes first: a permanent failure would end the attempts of all.
    if (errors.length > 0) throw errors.find((error) => error instanceof TransientError) ?? errors[0];
    return results.some((result) => result.status === 'fulfilled' && result.value);
  }

  async #applyTo(projection: Projection, event: Event): Promise<boolean> {
    const [pointer = firstPointer] = await new Pointers(this.#table).read([projection.name]);
    let changed = false;
    for (const change of await this.#changes(projection, pointer, [event])) {
      changed = (await this.#table.apply(change)).marks.length > 0 || changed;
    }
    return changed;
  }

  /** The version that is being built comes first, so that it is never behind the one it is to replace. */
  async #changes(projection: Projection, { live, building }: Pointer, events: readonly Event[]): Promise<Change[]> {
    const bySubject = Map.groupBy(
      events.filter(({ detailType }) => isMadeOf(projection, detailType)),
      ({ metadata }) => metadata.subject,
    );
    const subjects = [...bySubject].map(([subject, ofSubject]) => ({ subject, events: ofSubject }));
    const change = { projection, version: live, subjects };
    if (!building) return [change];
    const histories = subjects.map(async ({ subject, events }) => ({
      subject,
      events: await this.#historyOf(projection, subject, events),
    }));
    return [{ projection, version: building.version, subjects: await Promise.all(histories) }, change];
  }

  /**
   * All of an aggregate: the rebuild may not have come to it yet, or may just be writing what it read before the last event. Without a
   * history the events at hand: each of the others is in the rebuild, or comes.
   */
  async #historyOf(projection: Projection, subject: string, events: readonly Event[]): Promise<readonly Event[]> {
    if (!this.#history) return events;
    const entries = await this.#history.emitted.of(this.#history.streamOf(subject));
    return entries.flatMap((entry) => eventOf(projection, entry) ?? []);
  }

  #remember(marks: readonly Item[]): void {
    for (const mark of marks) {
      this.#marks.delete(idOf(mark));
      this.#marks.set(idOf(mark), mark);
    }
    for (const id of this.#marks.keys()) {
      if (this.#marks.size <= REMEMBERED_MARKS) break;
      this.#marks.delete(id);
    }
  }
}
