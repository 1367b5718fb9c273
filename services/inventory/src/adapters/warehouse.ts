import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { InboxKey } from '@millrace/consumer';
import { TransientError } from '@millrace/errors';
import {
  type ConditionalWrite,
  commit,
  documentClient,
  idOf,
  inboxMark,
  outboxRow,
  readItems,
  retryOnConflict,
  settleTogether,
} from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { StockCounted, StockRanLow, StockReleased, StockReservationFailed, StockReserved } from '../../events/index.ts';
import {
  decideRelease,
  decideShipment,
  movementsOfRelease,
  movementsOfShipment,
  type Reservation,
} from '../domain/reservation.ts';
import {
  decideReservations,
  isLow,
  onHandOf,
  type ReservationDecision,
  type StockChange,
  type StockLevel,
  sumOf,
} from '../domain/stock.ts';
import { decideCount, type StockCount } from '../domain/stock-count.ts';
import { levelOf, reservationKey, reservationOf, StockWrites, stockKey } from './stock-writes.ts';

/** What an event inherits from the request or event behind it. */
export interface Cause {
  correlationId: string;
  causationId?: string;
  traceparent: string;
}

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

/** Reservations are the first and, when they are given back, the second event about an order from this service. */
const RESERVED_SEQUENCE = 1;
const RELEASED_SEQUENCE = 2;

/**
 * Stock and reservations of one table. What orders ask for is settled many orders at a time, in one transaction: stock,
 * reservations, events and the marks of the events behind them. So a popular SKU is written once for all of them. Each
 * write states the condition it was decided on; whoever loses a race decides again.
 */
export class Warehouse {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #writes: StockWrites;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    now: () => Date = () => new Date(),
    newId: () => string = randomUUID,
  ) {
    this.#client = client;
    this.#tableName = tableName;
    this.#writes = new StockWrites(tableName);
    this.#now = now;
    this.#newId = newId;
  }

  /** The stock of a SKU, or undefined when it was never set. */
  async stock(sku: string): Promise<StockLevel | undefined> {
    return (await this.#levels([sku])).get(sku);
  }

  /** Sets what is available of a SKU, and its threshold. What orders hold stays held. */
  async setStock(
    sku: string,
    { available, lowStockThreshold }: Pick<StockLevel, 'available' | 'lowStockThreshold'>,
    cause: Cause,
  ): Promise<StockLevel> {
    return retryOnConflict(async () => {
      const before = await this.stock(sku);
      const after = { available, reserved: before?.reserved ?? 0, shipped: before?.shipped ?? 0, lowStockThreshold };
      await commit(this.#client, this.#set(sku, before, after, cause));
      return after;
    });
  }

  /**
   * Puts the books right by a count of what is on the shelf, and tells of it. What orders hold stays held.
   * @throws StockMovedError when pieces have come or gone since the count began
   * @example await warehouse.count('FLOUR', { counted: 7, expectedOnHand: 8 }, cause);
   */
  async count(sku: string, count: StockCount, cause: Cause): Promise<StockLevel> {
    return retryOnConflict(async () => {
      const before = await this.stock(sku);
      const after = decideCount(before, count);
      const expected = before ? onHandOf(before) : 0;
      const { counted } = count;
      const { available, reserved } = after;
      const event = StockCounted.create(
        { sku, counted, expected, difference: counted - expected, available, reserved },
        this.#context(sku, undefined, cause),
      );
      const outbox = outboxRow(this.#tableName, stockKey(sku).pk, event, this.#now());
      await commit(this.#client, [...this.#set(sku, before, after, cause), outbox]);
      return after;
    });
  }

  /**
   * Reserves every line of an order, or none, and tells which; the orders one after the other. Nothing happens for an order
   * that has a reservation or has ended already.
   * @returns the outcomes; DuplicateEventError when the event behind a request was handled before
   * @example await warehouse.reserve([{ orderId, order, cause, inbox }]);
   */
  reserve(requests: readonly ReserveRequest[]): Promise<Outcomes> {
    return settleByOrder(requests, async (some) => {
      const items = await readItems(this.#client, this.#tableName, [
        ...some.map(({ orderId }) => reservationKey(orderId)),
        ...some.flatMap(({ order }) => order.lines.map(({ sku }) => stockKey(sku))),
      ]);
      const isOpen = ({ orderId }: OrderRequest) => !items.get(idOf(reservationKey(orderId)));
      const open = some.filter(isOpen);
      const levels = new Map([...items.values()].flatMap((item) => (item?.sku ? [[item.sku, levelOf(item)]] : [])));
      const { decisions, changes } = decideReservations(
        open.map(({ order }) => order),
        levels,
      );
      await commit(this.#client, [
        ...some.filter((request) => !isOpen(request)).map((request) => this.#mark(request)),
        ...open.flatMap((request, index) => this.#reservation(request, decisions[index] as ReservationDecision)),
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
    return settleByOrder(requests, async (some) => {
      const reservations = await this.#reservations(some);
      const movements = some.flatMap(({ orderId }) => {
        const reservation = reservations.get(orderId);
        return reservation && decideRelease(reservation) === 'release' ? movementsOfRelease(reservation) : [];
      });
      await commit(this.#client, [
        ...some.flatMap((request) => this.#release(request, reservations.get(request.orderId))),
        ...sumOf(movements).map((movement) => this.#writes.move(movement)),
      ]);
    });
  }

  /**
   * Takes what was reserved off the shelf, once, when a parcel exists. Nothing happens for an order that has ended: its
   * parcel is recalled.
   * @returns the outcomes; ReservationUnknownError when the reservation of the order has not come yet, DuplicateEventError
   *   when the event behind a request was handled before
   * @example await warehouse.ship([{ orderId, cause, inbox }]);
   */
  ship(requests: readonly OrderRequest[]): Promise<Outcomes> {
    return settleByOrder(requests, async (some) => {
      const reservations = await this.#reservations(some);
      const shipped = some.filter(({ orderId }) => {
        const decision = decideShipment(reservations.get(orderId));
        if (decision === 'wait') throw new ReservationUnknownError(orderId);
        return decision === 'ship';
      });
      if (shipped.length === 0) return;
      const movements = shipped.flatMap(({ orderId }) => movementsOfShipment(reservations.get(orderId) as Reservation));
      await commit(this.#client, [
        ...shipped.flatMap((request) =>
          this.#settled(request, this.#writes.change(request.orderId, 'RESERVED', 'SHIPPED')),
        ),
        ...sumOf(movements).map((movement) => this.#writes.move(movement)),
      ]);
    });
  }

  #set(sku: string, before: StockLevel | undefined, after: StockLevel, cause: Cause): ConditionalWrite[] {
    const write = this.#writes.setStock(sku, before, after);
    const crosses = isLow(after) && !(before && isLow(before));
    return crosses ? [write, this.#ranLow(sku, after, cause)] : [write];
  }

  async #levels(skus: readonly string[]): Promise<Map<string, StockLevel>> {
    const items = await readItems(this.#client, this.#tableName, skus.map(stockKey));
    return new Map([...items.values()].flatMap((item) => (item ? [[item.sku, levelOf(item)]] : [])));
  }

  async #reservations(requests: readonly OrderRequest[]): Promise<Map<string, Reservation>> {
    const keyOf = ({ orderId }: OrderRequest) => reservationKey(orderId);
    const items = await readItems(this.#client, this.#tableName, requests.map(keyOf));
    return new Map(
      requests.flatMap((request) => {
        const item = items.get(idOf(keyOf(request)));
        return item ? [[request.orderId, reservationOf(item)]] : [];
      }),
    );
  }

  /** What is written for one order, beside the stock. */
  #reservation(request: ReserveRequest, decision: ReservationDecision): ConditionalWrite[] {
    const { orderId, order, cause } = request;
    const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
    const context = this.#context(orderId, RESERVED_SEQUENCE, cause);
    if (decision.type === 'reserve') {
      return this.#settled(
        request,
        this.#writes.open(orderId, 'RESERVED', lines),
        StockReserved.create(order, context),
      );
    }
    const refused = StockReservationFailed.create({ orderId, shortages: decision.shortages }, context);
    return this.#settled(request, this.#writes.open(orderId, 'REFUSED', lines), refused);
  }

  /** What is written for one order that ended, beside the stock. */
  #release(request: OrderRequest, reservation: Reservation | undefined): ConditionalWrite[] {
    const { orderId, cause } = request;
    if (!reservation) return this.#settled(request, this.#writes.open(orderId, 'CANCELLED', []));
    if (decideRelease(reservation) === 'nothing') return [this.#mark(request)];
    const { status, lines } = reservation;
    const event = StockReleased.create({ orderId, lines }, this.#context(orderId, RELEASED_SEQUENCE, cause));
    return this.#settled(request, this.#writes.change(orderId, status, 'RELEASED'), event);
  }

  #settled(request: OrderRequest, write: ConditionalWrite, event?: EmittableEvent): ConditionalWrite[] {
    const { pk } = reservationKey(request.orderId);
    const outbox = event ? [outboxRow(this.#tableName, pk, event, this.#now())] : [];
    return [write, ...outbox, this.#mark(request)];
  }

  /** Alone where nothing is left to do: the event is handled all the same. */
  #mark({ inbox }: OrderRequest): ConditionalWrite {
    return inboxMark(this.#tableName, inbox, this.#now());
  }

  #take(change: StockChange, requests: readonly OrderRequest[]): ConditionalWrite[] {
    const { sku, quantity, level, ranLowBy } = change;
    const request = requests.find(({ orderId }) => orderId === ranLowBy);
    if (!request) return [this.#writes.take(change)];
    const after = { ...level, available: level.available - quantity };
    return [this.#writes.take(change), this.#ranLow(sku, after, request.cause)];
  }

  #ranLow(sku: string, { available, lowStockThreshold }: StockLevel, cause: Cause): ConditionalWrite {
    // What can be sold: nothing where a count found fewer pieces than orders hold.
    const left = Math.max(0, available);
    const event = StockRanLow.create({ sku, available: left, lowStockThreshold }, this.#context(sku, undefined, cause));
    return outboxRow(this.#tableName, stockKey(sku).pk, event, this.#now());
  }

  #context(subject: string, sequence: number | undefined, cause: Cause) {
    return { id: this.#newId(), time: this.#now(), subject, sequence, ...cause };
  }
}

/** A shipment came before the reservation of its order: it is tried again, and the reservation comes meanwhile. */
export class ReservationUnknownError extends TransientError {
  constructor(orderId: string) {
    super('RESERVATION_UNKNOWN', `Order ${orderId} has a shipment, but no reservation yet`);
  }
}

/** The warehouse in the table MILLRACE_TABLE. @throws Error when it is not set. */
export function warehouseFromEnvironment(tableName = process.env.MILLRACE_TABLE): Warehouse {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  return new Warehouse(documentClient(), tableName);
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
