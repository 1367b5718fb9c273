import { TransientError } from '@millrace/errors';
import type { EmittedEvents } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { eventOf, isMadeOf, type Projection } from './define-projection.ts';
import { type Pointer, Pointers } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/** Where a version that is being built finds the events that it has not had. */
export interface History {
  emitted: Pick<EmittedEvents, 'of'>;
  /** The stream of an aggregate. */
  streamOf: (subject: string) => string;
}

/** Keeps projections up to date, event by event, in whatever order and however often these come. */
export class Projector {
  readonly #table: ProjectionTable;
  readonly #pointers: Pointers;
  readonly #projections: readonly Projection[];
  readonly #history: History;

  constructor(table: ProjectionTable, projections: readonly Projection[], history: History) {
    this.#table = table;
    this.#pointers = new Pointers(table);
    this.#projections = projections;
    this.#history = history;
  }

  /**
   * Applies an event to all projections that are made of such events, each in a transaction of its own: one that fails
   * keeps no other back.
   * @returns whether anything changed; false for an event that was in already
   * @throws SequenceGapError when a projection has not had an earlier event of the aggregate; what `ProjectionTable.apply` throws
   */
  async handle(event: Event): Promise<boolean> {
    const concerned = this.#projections.filter((projection) => isMadeOf(projection, event.detailType));
    const pointers = await this.#pointers.read(concerned.map(({ name }) => name));
    const results = await Promise.allSettled(
      concerned.map((projection, index) => this.#apply(projection, pointers[index] ?? { live: 1 }, event)),
    );
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // What can be tried again comes first: a permanent failure would end the attempts of all.
    if (errors.length > 0) throw errors.find((error) => error instanceof TransientError) ?? errors[0];
    return results.some((result) => result.status === 'fulfilled' && result.value > 0);
  }

  /** The version that is being built comes first, so that it is never behind the one it is to replace. */
  async #apply(projection: Projection, { live, building }: Pointer, event: Event): Promise<number> {
    const { subject } = event.metadata;
    let applied = 0;
    if (building) {
      // The rebuild may not have come to this aggregate yet, or may just be writing what it read before this event.
      const entries = await this.#history.emitted.of(this.#history.streamOf(subject));
      const events = entries.flatMap((entry) => eventOf(projection, entry) ?? []);
      applied += await this.#table.apply(projection, building.version, [{ subject, events }]);
    }
    return applied + (await this.#table.apply(projection, live, [{ subject, events: [event] }]));
  }
}
