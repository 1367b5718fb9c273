import { randomUUID } from 'node:crypto';
import {
  type CommandRunnerOptions,
  commit,
  idOf,
  outboxRow,
  type PlannedChange,
  type Row,
  type RowRunner,
  readItems,
  retryOnConflict,
  rowRunner,
  settleTogether,
  type Table,
} from '@millrace/event-store';
import type { Cause, EventContext, InboxKey } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { StockCounted, StockRanLow, StockReleased, StockReservationFailed, StockReserved } from '../../events/index.ts';
import * as reservation from '../domain/reservation.ts';
import { decideReservations, noStock, type StockChange, type StockLevel, sumOf } from '../domain/stock.ts';
import type { StockCount } from '../domain/stock-count.ts';
import * as stockItem from '../domain/stock-item.ts';
import { moveStock, reservationKey, stockKey, takeStock } from './stock-writes.ts';

/** What an event asks of the warehouse for one order. */
export interface OrderRequest {
  orderId: string;
  cause: Cause;
  /** Of the event: it is marked as handled with its effect. */
  inbox: InboxKey;
}

export interface ReserveRequest extends OrderRequest {
  order: OrderSnapshot;
}

/** What became of each request, in their order: undefined when it is settled, and its error otherwise. */
type Outcomes = (Error | undefined)[];

type ReservationRow = Row<reservation.Reservation | undefined>;

/** What follows for one order. */
interface Decided {
  events: readonly reservation.ReservationEvent[];
  change: PlannedChange<unknown>;
}

/**
 * Stock and reservations of one table. What orders ask for is settled many orders at a time, in one transaction: stock,
 * reservations, events and the marks of the events behind them. So a popular SKU is written once for all of them. Each
 * write states the condition it was decided on; whoever loses a race decides again.
 */
export class Warehouse {
  readonly #table: Table;
  readonly #stock: RowRunner<StockLevel, stockItem.StockCommand, stockItem.StockEvent>;
  readonly #reservations: RowRunner<
    reservation.Reservation,
    reservation.ReservationCommand,
    reservation.ReservationEvent
  >;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(table: Table, options: CommandRunnerOptions = {}) {
    this.#table = table;
    this.#stock = rowRunner(
      { table, key: stockKey, decide: stockItem.decide, evolve: stockItem.evolve, publish: publishStock },
      options,
    );
    this.#reservations = rowRunner(
      {
        table,
        key: reservationKey,
        decide: reservation.decide,
        evolve: reservation.evolve,
        publish: publishReservation,
      },
      options,
    );
    this.#now = options.now ?? (() => new Date());
    this.#newId = options.newId ?? randomUUID;
  }

  /** The stock of a SKU, or undefined when it was never set. */
  async stock(sku: string): Promise<StockLevel | undefined> {
    const { state } = await this.#stock.load(sku);
    return state && { ...noStock, ...state };
  }

  /** The reservation of an order, or undefined when nothing was asked for it. */
  async reservation(orderId: string): Promise<reservation.Reservation | undefined> {
    return (await this.#reservations.load(orderId)).state;
  }

  /** Sets what is available of a SKU, and its threshold. What orders hold stays held. */
  async setStock(
    sku: string,
    { available, lowStockThreshold }: Pick<StockLevel, 'available' | 'lowStockThreshold'>,
    cause: Cause,
  ): Promise<StockLevel> {
    return this.#changeStock(sku, { type: 'SetStock', available, lowStockThreshold }, cause);
  }

  /**
   * Puts the books right by a count of what is on the shelf, and tells of it. What orders hold stays held.
   * @throws StockMovedError when pieces have come or gone since the count began
   * @example await warehouse.count('FLOUR', { counted: 7, expectedOnHand: 8 }, cause);
   */
  async count(sku: string, count: StockCount, cause: Cause): Promise<StockLevel> {
    return this.#changeStock(sku, { type: 'Count', count }, cause);
  }

  async #changeStock(sku: string, command: stockItem.StockCommand, cause: Cause): Promise<StockLevel> {
    const { state } = await this.#stock.execute(sku, command, cause);
    return state as StockLevel; // every command sets it
  }

  /**
   * Reserves every line of an order, or none, and tells which; the orders one after the other. Nothing happens for an order
   * that has a reservation or has ended already.
   * @returns the outcomes; DuplicateEventError when the event behind a request was handled before
   * @example await warehouse.reserve([{ orderId, order, cause, inbox }]);
   */
  reserve(requests: readonly ReserveRequest[]): Promise<Outcomes> {
    return settleByOrder(requests, async (some) => {
      const skus = some.flatMap(({ order }) => order.lines.map(({ sku }) => sku));
      const items = await readItems(this.#table.client, this.#table.name, [
        ...some.map(({ orderId }) => reservationKey(orderId)),
        ...skus.map(stockKey),
      ]);
      const levels = new Map(
        skus.flatMap((sku) => {
          const { state } = this.#stock.read(sku, items.get(idOf(stockKey(sku))));
          return state ? [[sku, state]] : [];
        }),
      );
      const rowOf = ({ orderId }: OrderRequest) =>
        this.#reservations.read(orderId, items.get(idOf(reservationKey(orderId))));
      const open = some.filter((request) => !rowOf(request).state);
      const { shortages, changes } = decideReservations(
        open.map(({ order }) => order),
        levels,
      );
      const decided = some.map((request) => {
        const lacking = shortages[open.indexOf(request)] ?? [];
        return this.#decide(request, rowOf(request), { type: 'Reserve', order: request.order, shortages: lacking });
      });
      await commit(this.#table.client, [
        ...decided.flatMap(({ change }) => change.writes),
        ...changes.flatMap((change) => this.#take(change, open)),
      ]);
    });
  }

  /**
   * Gives back what ended orders hold, once. An order that holds nothing yet never will.
   * @returns the outcomes; DuplicateEventError when the event behind a request was handled before
   * @example await warehouse.release([{ orderId, cause, inbox }]);
   */
  release(requests: readonly OrderRequest[]): Promise<Outcomes> {
    return settleByOrder(requests, async (some) =>
      this.#commit(await this.#decideAll(some, () => ({ type: 'Release' }))),
    );
  }

  /**
   * Takes what was reserved off the shelf, once, when a parcel exists. Nothing happens for an order that has ended: its
   * parcel is recalled. What has been done before is left alone, without a mark: the reservation remembers it for ever.
   * @returns the outcomes; ReservationUnknownError when the reservation of the order has not come yet, DuplicateEventError
   *   when the event behind a request was handled before
   * @example await warehouse.ship([{ orderId, cause, inbox }]);
   */
  ship(requests: readonly OrderRequest[]): Promise<Outcomes> {
    return settleByOrder(requests, async (some) => {
      const decided = await this.#decideAll(some, ({ orderId }) => ({ type: 'Ship', orderId }));
      await this.#commit(decided.filter(({ events }) => events.length > 0));
    });
  }

  /** Decides a command for each order, on its reservation as it is. */
  async #decideAll(
    requests: readonly OrderRequest[],
    commandFor: (request: OrderRequest) => reservation.ReservationCommand,
  ): Promise<Decided[]> {
    const keys = requests.map(({ orderId }) => reservationKey(orderId));
    const items = await readItems(this.#table.client, this.#table.name, keys);
    return requests.map((request) => {
      const row = this.#reservations.read(request.orderId, items.get(idOf(reservationKey(request.orderId))));
      return this.#decide(request, row, commandFor(request));
    });
  }

  #decide(request: OrderRequest, row: ReservationRow, command: reservation.ReservationCommand): Decided {
    const { cause, inbox } = request;
    const events = reservation.decide(command, row.state);
    return { events, change: this.#reservations.plan(row, events, { ...cause, inbox }) };
  }

  /** Writes what was decided, and how the stock moves by it, in one transaction. */
  async #commit(decided: readonly Decided[]): Promise<void> {
    if (decided.length === 0) return;
    const movements = sumOf(decided.flatMap(({ events }) => events.flatMap(reservation.movementsOf)));
    await commit(this.#table.client, [
      ...decided.flatMap(({ change }) => change.writes),
      ...movements.map((movement) => moveStock(this.#table.name, movement)),
    ]);
  }

  #take(change: StockChange, requests: readonly OrderRequest[]) {
    const { sku, quantity, level, ranLowBy } = change;
    const take = takeStock(this.#table.name, change);
    const request = requests.find(({ orderId }) => orderId === ranLowBy);
    if (!request) return [take];
    const now = this.#now();
    const after = { ...level, available: level.available - quantity };
    const event = ranLow(after, { id: this.#newId(), time: now, subject: sku, ...request.cause });
    return [take, outboxRow(this.#table.name, stockKey(sku).pk, event, now)];
  }
}

/**
 * The outcome of a single request.
 * @throws its error
 * @example await settled(warehouse.release([{ orderId, cause, inbox }]));
 */
export async function settled(outcomes: Promise<Outcomes>): Promise<void> {
  const [error] = await outcomes;
  if (error) throw error;
}

function publishReservation(
  event: reservation.ReservationEvent,
  { lines }: reservation.Reservation,
  context: EventContext,
) {
  const orderId = context.subject;
  switch (event.type) {
    case 'StockReserved':
      return StockReserved.create(event.order, context);
    case 'ReservationRefused':
      return StockReservationFailed.create({ orderId, shortages: [...event.shortages] }, context);
    case 'StockReleased':
      return StockReleased.create({ orderId, lines: [...lines] }, context);
    default:
      return undefined;
  }
}

/** Without a sequence: what orders do to a SKU is told past its row, by `Warehouse`. */
function publishStock(event: stockItem.StockEvent, level: StockLevel, { sequence: _, ...context }: EventContext) {
  switch (event.type) {
    case 'StockCounted': {
      const { counted, expected } = event;
      const { available, reserved } = level;
      const data = { sku: context.subject, counted, expected, difference: counted - expected, available, reserved };
      return StockCounted.create(data, context);
    }
    case 'StockRanLow':
      return ranLow(level, context);
    default:
      return undefined;
  }
}

function ranLow({ available, lowStockThreshold }: StockLevel, context: EventContext) {
  // What can be sold: nothing where a count found fewer pieces than orders hold.
  return StockRanLow.create({ sku: context.subject, available: Math.max(0, available), lowStockThreshold }, context);
}

/**
 * Settles requests in as few transactions as possible. What is asked for an order a second time waits for the first: an
 * event that came twice, or two events by which the same order ended. Each event gets its own mark.
 */
async function settleByOrder<Request extends OrderRequest>(
  requests: readonly Request[],
  run: (requests: readonly Request[]) => Promise<void>,
): Promise<Outcomes> {
  const outcomes = new Map<Request, Outcomes[number]>();
  for (let left = requests; left.length > 0; left = left.filter((request) => !outcomes.has(request))) {
    const round = [...Map.groupBy(left, ({ orderId }) => orderId).values()].flatMap(([first]) => first ?? []);
    const results = await settleTogether(round, (some) => retryOnConflict(() => run(some)));
    for (const [index, request] of round.entries()) outcomes.set(request, results[index]);
  }
  return requests.map((request) => outcomes.get(request));
}
