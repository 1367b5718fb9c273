import { randomUUID } from 'node:crypto';
import { GetCommand } from '@millrace/aws';
import type { EmittableEvent, EventContext } from '@millrace/events';
import type { CommandContext, CommandRunnerOptions } from './command-runner.ts';
import { type ConditionalWrite, commit } from './commit.ts';
import { inboxMark } from './inbox.ts';
import { outboxRow } from './outbox.ts';
import type { Item, ItemKey } from './read-items.ts';
import { replaceRow } from './replace-row.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import type { Table } from './table.ts';

/** State that is kept in one row of a table. All but the table is pure. */
export interface RowDefinition<State extends object, Command, Event> {
  table: Table;
  /** The row of the aggregate with this id. */
  key: (id: string) => ItemKey;
  /** What follows from a command; nothing when it is done already. What it throws is the command's answer. */
  decide: (command: Command, state: State | undefined) => readonly Event[];
  /** The state after one more event. Its fields are the row's attributes, beside `pk`, `sk`, `version` and `sequence`. */
  evolve: (state: State | undefined, event: Event) => State;
  /**
   * What the bus is told of an event; undefined for one that stays inside the service.
   * @param state right after the event
   * @param context its `sequence` counts what this row has told the bus, from 1
   */
  publish?: (event: Event, state: State, context: EventContext) => EmittableEvent | undefined;
}

/** A row as it was read, or as it is after a write. `state` is undefined when the row does not exist. */
export interface Row<State> {
  id: string;
  state: State;
  /** How often it was written; 0 when it does not exist. Every write states the version it was decided on. */
  version: number;
  /** How many events it has told the bus. */
  sequence: number;
}

/** What the events of a command inherit, and the event behind it, which is marked as handled in the same transaction. */
export type RowContext = Omit<CommandContext, 'occurredAt'>;

/** What a change writes, and the row after it. */
export interface PlannedChange<State> {
  writes: ConditionalWrite[];
  after: Row<State>;
}

/** Reads and changes the rows of one kind. */
export interface RowRunner<State extends object, Command, Event> {
  /** Reads a row, strongly consistent. */
  load(id: string): Promise<Row<State | undefined>>;
  /** The row in an item that was read in another way, e.g. with `readItems`. */
  read(id: string, item: Omit<Item, keyof ItemKey> | undefined): Row<State | undefined>;
  /**
   * Decides a command on the row as it is and writes what follows: the row, its events for the relay, and the mark of the
   * event of `inbox`, which is written even when nothing follows. When another writer was faster it is decided again.
   * @throws what `decide` throws; DuplicateEventError when the event of `inbox` was handled before;
   *   ConcurrencyConflictError when others kept being faster; what `commit` throws
   * @example await shipments.execute(orderId, { type: 'Recall' }, { ...cause, inbox });
   */
  execute(id: string, command: Command, context: RowContext): Promise<Row<State | undefined>>;
  /**
   * Writes events on a row that you have loaded, for a decision that needs the outside in between, e.g. a provider's answer.
   * Load and decide again on a conflict, see `retryOnConflict`.
   * @throws ConcurrencyConflictError when another writer was faster; otherwise as `execute`
   * @example payment = await payments.record(payment, [{ type: 'ChargeRepeated', charge }], cause);
   */
  record<Known extends State | undefined>(
    row: Row<Known>,
    events: readonly Event[],
    context: RowContext,
  ): Promise<Row<Known | State>>;
  /**
   * What `record` would write, for a transaction with more in it.
   * @example await commit(client, orders.flatMap(({ row, events, context }) => rows.plan(row, events, context).writes));
   */
  plan<Known extends State | undefined>(
    row: Row<Known>,
    events: readonly Event[],
    context: RowContext,
  ): PlannedChange<Known | State>;
}

/**
 * Runs commands on state that is kept in one row: read, decide, and write state, events and inbox mark in one transaction,
 * on condition that the row has not changed. Use `CommandRunner` when the history is needed, and not only the state.
 *
 * @example
 * const shipments = rowRunner({ table, key: (orderId) => ({ pk: `SHIPMENT#${orderId}`, sk: 'SHIPMENT' }), decide, evolve, publish });
 * await shipments.execute(orderId, { type: 'Recall' }, { ...cause, inbox });
 */
export function rowRunner<State extends object, Command, Event>(
  { table, key, decide, evolve, publish }: RowDefinition<State, Command, Event>,
  options: CommandRunnerOptions = {},
): RowRunner<State, Command, Event> {
  const { now = () => new Date(), newId = randomUUID as () => string } = options;

  const read: RowRunner<State, Command, Event>['read'] = (id, item) => {
    if (!item) return { id, state: undefined, version: 0, sequence: 0 };
    const { pk: _pk, sk: _sk, version = 0, sequence = 0, ...state } = item;
    return { id, state: state as State, version, sequence };
  };

  const load = async (id: string) => {
    const get = new GetCommand({ TableName: table.name, Key: key(id), ConsistentRead: true });
    return read(id, (await table.client.send(get)).Item);
  };

  const plan = <Known extends State | undefined>(
    row: Row<Known>,
    events: readonly Event[],
    { inbox, assumeNew: _, ...cause }: RowContext,
  ): PlannedChange<Known | State> => {
    const time = now();
    const emits: EmittableEvent[] = [];
    let { state, sequence }: { state: Known | State; sequence: number } = row;
    for (const event of events) {
      const changed = evolve(state, event);
      const emit = publish?.(event, changed, {
        id: newId(),
        time,
        subject: row.id,
        sequence: sequence + 1,
        ...cause,
      });
      if (emit) {
        emits.push(emit);
        sequence += 1;
      }
      state = changed;
    }
    // The mark takes the first event along: a row less, and two write units.
    const mark = inbox ? [inboxMark(table.name, inbox, time, emits.shift())] : [];
    if (events.length === 0) return { writes: mark, after: row };
    const outbox = emits.map((emit) => outboxRow(table.name, key(row.id).pk, emit, time));
    const after = { id: row.id, state, version: row.version + 1, sequence };
    return {
      writes: [replaceRow(table.name, { ...state, sequence, ...key(row.id) }, row.version), ...outbox, ...mark],
      after,
    };
  };

  const record: RowRunner<State, Command, Event>['record'] = async (row, events, context) => {
    const { writes, after } = plan(row, events, context);
    if (writes.length > 0) await commit(table.client, writes, options);
    return after;
  };

  const execute = (id: string, command: Command, context: RowContext) => {
    let assumed = context.assumeNew ? read(id, undefined) : undefined;
    return retryOnConflict(async () => {
      const row = assumed ?? (await load(id));
      assumed = undefined;
      return record(row, decide(command, row.state), context);
    }, options);
  };

  return { load, read, execute, record, plan };
}
