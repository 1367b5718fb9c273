import type { EmittableEvent, EventContext } from '@millrace/events';
import type { ConditionalWrite } from './commit.ts';
import type { DomainEvent } from './domain-event.ts';

/** What a command runner has to know of a kind of aggregate. All of it is pure. */
export interface Aggregate<State, Command, Event extends DomainEvent> {
  /** The state of an aggregate without events. */
  initialState: State;
  /**
   * What follows from a command; nothing when it is done already. What it throws is the command's answer.
   */
  decide: (command: Command, state: State) => readonly Event[];
  /** The state after one more event. */
  evolve: (state: State, event: Event) => State;
  /** The stream of the aggregate with this id: `ORDER#<id>`. */
  streamOf: (id: string) => string;
  /**
   * What the bus is told of an event; undefined for one that stays inside the service.
   * @param state right after the event
   * @param context its `sequence` counts what this aggregate has told the bus, from 1
   */
  publish?: (event: Event, state: State, context: EventContext) => EmittableEvent | undefined;
  /**
   * Rows to write in the transaction of an event, for example those that an aggregate is looked up by. They can then neither be
   * missing nor be left over. Where events of one command write the same row, the last one's write counts; so give these no conditions.
   * @param state right after the event
   * @param context of the event, as for `publish`
   * @example (event, order, { subject }) => (event.type === 'OrderPlaced' ? [openOrders.add(subject, order.deadline)] : [])
   */
  alongside?: (event: Event, state: State, context: EventContext) => readonly ConditionalWrite[];
  /**
   * Whether an event of `inbox` is recognised by the events that it caused, so that it needs no mark of its own: it is one that
   * `decide` has answered with something. Only for an aggregate that tells by its state what it has had already, for ever, as
   * a stream may be so long that the event's effect is not among those that are read. What changes nothing is marked in any case.
   */
  marksByCause?: boolean;
  /** Without it every command reads the whole stream. */
  snapshots?: SnapshotPolicy<State>;
}

/** When snapshots are written, and how a state becomes JSON and is read again. */
export interface SnapshotPolicy<State> {
  /** A snapshot is written when the last one is this many events old. */
  every: number;
  /** The shape of the state: raise it with every change of `State`, `evolve` or `toSnapshot`. Others are ignored. */
  stateVersion: number;
  /**
   * The state as JSON; the default is the state itself, which must be JSON then. A state with a Set, Map or Date needs
   * both functions: it is refused, not stored as `{}`.
   */
  toSnapshot?: (state: State) => unknown;
  /** The state again. What it throws makes the snapshot count as absent. */
  fromSnapshot?: (stored: unknown) => State;
}
