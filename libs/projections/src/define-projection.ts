import { PermanentError } from '@millrace/errors';
import { contractFor, type Event, type EventContract, type EventEntry, type EventOf } from '@millrace/events';

/** Where a row stands: rows of one partition can be read together, in the order of `sort`. */
export interface RowKey {
  partition: string;
  sort: string;
}

/** What a projection is made of. All of it is pure: the same events give the same rows, live and rebuilt. */
export interface ProjectionDefinition<Contracts extends readonly EventContract[], Row extends object> {
  /** Lower-case letters and dashes: `order-summary`. Half of every key in the table. */
  name: string;
  /** The events it is made of. With `late: 'drop'` these must be all that the aggregate tells the bus. */
  events: Contracts;
  /**
   * The row that an event belongs to.
   * @param earlier where the aggregate's last event went, for a row whose key does not follow from every event. Undefined
   * for the aggregate's first event, and it may be where the key is only guessed
   */
  keyOf: (event: EventOf<Contracts[number]>, earlier: RowKey | undefined) => RowKey;
  /** The row after one more event; it is JSON. */
  evolve: (row: Row | undefined, event: EventOf<Contracts[number]>) => Row;
  /**
   * What becomes of an event that comes after a later one of the same aggregate. `drop`: the order counts, so an event
   * waits for those before it, and one whose place is taken is left out. `apply`: the order does not count, as in a
   * sum, so none waits, and a late one is applied when it comes. Each event is applied once either way.
   */
  late: 'drop' | 'apply';
}

/** A read model, whatever its events and rows. */
export interface Projection<Row extends object = object> {
  readonly name: string;
  readonly events: readonly EventContract[];
  readonly late: 'drop' | 'apply';
  keyOf(event: Event, earlier?: RowKey): RowKey;
  evolve(row: Row | undefined, event: Event): Row;
}

/** @throws TypeError for a name that is not made of lower-case letters and dashes */
export function defineProjection<const Contracts extends readonly EventContract[], Row extends object>(
  definition: ProjectionDefinition<Contracts, Row>,
): Projection<Row> {
  const { name, events, late } = definition;
  if (!/^[a-z]+(-[a-z]+)*$/.test(name)) {
    throw new TypeError(`A projection's name is made of lower-case letters and dashes, not "${name}"`);
  }
  // Whoever calls these has parsed the event by one of the contracts, or, where another projection is made of an older version,
  // by that one's.
  type Known = EventOf<Contracts[number]>;
  const known = (event: Event) => contractFor(events, event.detailType)?.upcast(event) as Known;
  return {
    name,
    events,
    late,
    keyOf: (event, earlier) => definition.keyOf(known(event), earlier),
    evolve: (row, event) => definition.evolve(row, known(event)),
  };
}

/** Whether a projection is made of events of this type, or of a version that they are upcast to. */
export function isMadeOf(projection: Projection, detailType: string): boolean {
  return contractFor(projection.events, detailType) !== undefined;
}

/**
 * A stored event as consumers get it, of whatever version it was stored; undefined when the projection is not made of such events.
 * @throws what `EventContract.parse` throws
 */
export function eventOf(projection: Projection, { source, detailType, detail, time }: EventEntry): Event | undefined {
  const contract = contractFor(projection.events, detailType);
  return contract?.parse({ id: '', source, 'detail-type': detailType, time, detail: JSON.parse(detail) });
}

/** The position of an event among those of its aggregate. @throws PermanentError SEQUENCE_MISSING */
export function sequenceOf({ detailType, metadata: { sequence } }: Event): number {
  if (sequence !== undefined) return sequence;
  throw new PermanentError('SEQUENCE_MISSING', `${detailType} has no metadata.sequence: it belongs to no projection`);
}
