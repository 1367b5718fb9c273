import { TransientError } from '@millrace/errors';
import { type EmittedEvents, type Item, idOf, retryOnConflict } from '@millrace/event-store';
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

/** Keeps projections up to date, event by event, in whatever order and however often these come. */
export class Projector {
  readonly #table: ProjectionTable;
  readonly #projections: readonly Projection[];
  readonly #history: History;
  /** As they were last seen, by projection. */
  readonly #pointers = new Map<string, Pointer>();
  /** Those written last, the oldest first: a mark says where the row is that the aggregate's next event changes. */
  readonly #marks = new Map<string, Item>();

  constructor(table: ProjectionTable, projections: readonly Projection[], history: History) {
    this.#table = table;
    this.#projections = projections;
    this.#history = history;
  }

  /**
   * Applies an event to all projections that are made of such events: in one transaction, or, when that cannot be, to each
   * on its own, so that one that fails keeps no other back.
   * @returns whether anything changed; false for an event that was in already
   * @throws SequenceGapError when a projection has not had an earlier event of the aggregate; what `ProjectionTable.apply` throws
   */
  async handle(event: Event): Promise<boolean> {
    const concerned = this.#projections.filter((projection) => isMadeOf(projection, event.detailType));
    try {
      return await retryOnConflict(() => this.#applyTogether(concerned, event));
    } catch {
      // Whatever it was, it shows again in the projection that it belongs to.
      return this.#applyApart(concerned, event);
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
  async #applyTogether(concerned: readonly Projection[], event: Event): Promise<boolean> {
    for (;;) {
      const guesses = concerned.map((projection) => ({
        projection,
        pointer: this.#pointers.get(projection.name) ?? firstPointer,
      }));
      const changes = (
        await Promise.all(guesses.map(({ projection, pointer }) => this.#changes(projection, pointer, event)))
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
      const marks = await this.#table.write(changes, known);
      this.#remember(marks);
      return marks.length > 0;
    }
  }

  async #applyApart(concerned: readonly Projection[], event: Event): Promise<boolean> {
    const results = await Promise.allSettled(concerned.map((projection) => this.#applyTo(projection, event)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // What can be tried again comes first: a permanent failure would end the attempts of all.
    if (errors.length > 0) throw errors.find((error) => error instanceof TransientError) ?? errors[0];
    return results.some((result) => result.status === 'fulfilled' && result.value);
  }

  async #applyTo(projection: Projection, event: Event): Promise<boolean> {
    const [pointer = firstPointer] = await new Pointers(this.#table).read([projection.name]);
    let changed = false;
    for (const change of await this.#changes(projection, pointer, event)) {
      changed = (await this.#table.apply(change)).length > 0 || changed;
    }
    return changed;
  }

  /** The version that is being built comes first, so that it is never behind the one it is to replace. */
  async #changes(projection: Projection, { live, building }: Pointer, event: Event): Promise<Change[]> {
    const { subject } = event.metadata;
    const change = { projection, version: live, subjects: [{ subject, events: [event] }] };
    if (!building) return [change];
    // The rebuild may not have come to this aggregate yet, or may just be writing what it read before this event.
    const entries = await this.#history.emitted.of(this.#history.streamOf(subject));
    const events = entries.flatMap((entry) => eventOf(projection, entry) ?? []);
    return [{ projection, version: building.version, subjects: [{ subject, events }] }, change];
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
