import { randomUUID } from 'node:crypto';
import { derivedId } from '@millrace/events';
import type { LineageTree, StoredEvent } from '@millrace/lineage';
import { requestToken } from '@millrace/local/request-token';
import { eventually } from '@millrace/testing';
import type { System } from './system.ts';

export interface Answer {
  status: number;
  headers: Headers;
  body: AnswerBody;
}

/** Every field that some route answers with; a test reads those of the route it called. */
export interface AnswerBody extends OrderView {
  available: number;
  reserved: number;
  shipped: number;
  onHand: number;
  lowStockThreshold: number;
  /** Of `GET /lineage/{id}`. */
  trees: LineageTree[];
  /** Of `GET /analytics/sessions/{sessionId}`. */
  startedAt: string;
  durationMs: number;
  path: { page: string; sku?: string; viewedAt: string }[];
  /** Of `GET /analytics/sessions`. */
  sessions: { sessionId: string; startedAt: string; durationMs: number; path: string[] }[];
  /** Of `GET /analytics/series`, here of views. */
  minutes: { minute: string; views: number; productViews: number; sessions: number }[];
  /** Of `GET /analytics/funnel`. */
  steps: { step: string; count: number; share: number }[];
  cohorts: { period: string; customers: number; ordersOfPeriod: { first: number; repeat: number } }[];
  skus: { sku: string; quantity: number }[];
  /** Of `GET /events`. */
  events: StoredEvent[];
  /** Of `GET /events` and `GET /orders`. */
  cursor?: string;
  /** Of `GET /orders`. */
  orders: {
    orderId: string;
    status: string;
    total: { amount: number; currency: string };
    placedAt: string;
    pickUp?: string;
  }[];
  /** Of `POST /checkouts` and `GET /checkouts/{checkoutId}`. */
  checkoutId: string;
  state?: string;
  reason?: string;
  history: { state: string; enteredAt: string; leftAt?: string }[];
  /** Of `GET /reports/daily-sales`. */
  days: { day: string; currency: string; confirmed: number; revenue: number; cancelled: number }[];
  /** Of the routes of slots. */
  slotId: string;
  startsAt: string;
  endsAt: string;
  checkInCode: string;
  reservation?: { reservationId: string; checkInBy: string; orderId?: string };
  /** Of `GET /locations/{locationId}/slots`. */
  slots: { slotId: string; startsAt: string; endsAt: string; status: string }[];
  /** Of a problem document about a slot that the caller does not get. */
  alternatives: { slotId: string; startsAt: string; endsAt: string }[];
  /** Of `GET /events/{eventId}`. */
  data: unknown;
  /** Of a problem document. */
  code: string;
  detail: string;
  requestId: string;
  errors: { field: string; detail: string }[];
}

export interface TimelineEntry {
  event: string;
  at: string;
  detail?: string;
}

/** What `GET /orders/{orderId}` shows. */
export interface OrderView {
  orderId: string;
  status: string;
  lines: { sku: string; quantity: number; unitPrice: number }[];
  total: { amount: number; currency: string };
  trackingNumber?: string;
  cancellation?: { reason: string; detail: string };
  /** Of an order with a slot. */
  pickUp?: { slotId: string; status: string; location?: { name: string }; reason?: string };
  timeline: TimelineEntry[];
}

/** What tokens of a shop's people say they may do. */
export const scopesOf = {
  customer: 'orders:read orders:write checkouts:read checkouts:write slots:read slots:write',
  staff: 'stock:read stock:write events:read reports:read approvals:write closures:write analytics:read',
} as const;

/** A customer of the shop, and the staff that fills its shelves: the HTTP API as a test uses it. */
export class Shop {
  readonly #system: Pick<System, 'apiUrl' | 'messagesUrl' | 'issuerUrl'>;
  readonly #tokens = new Map<keyof typeof scopesOf, Promise<string>>();
  /** The subject of the customer's token. Each shop has a customer of its own. */
  readonly customerId: string;

  /** @param customerId of a customer that is known already, e.g. to another runtime with the same data directory */
  constructor(
    system: Pick<System, 'apiUrl' | 'messagesUrl' | 'issuerUrl'>,
    customerId: string = `customer-${randomUUID()}`,
  ) {
    this.#system = system;
    this.customerId = customerId;
  }

  /** A token of the customer or the staff. */
  token(role: keyof typeof scopesOf): Promise<string> {
    const known = this.#tokens.get(role);
    if (known) return known;
    const subject = role === 'customer' ? this.customerId : 'staff-1';
    const token = requestToken(this.#system.issuerUrl, { subject, scope: scopesOf[role] });
    this.#tokens.set(role, token);
    return token;
  }

  /**
   * Sends a request with a token of the staff or the customer, by its path, unless the headers say otherwise. A body is sent as JSON
   * unless it is text.
   */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const token = await this.token(
      /^\/(stock|events|lineage|reports|interactions|analytics)|\/(approval|closure)$/.test(path)
        ? 'staff'
        : 'customer',
    );
    const response = await fetch(`${this.#system.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }

  /** Sets the stock of a SKU that no other test uses, and returns the SKU. */
  async stocked(available: number, lowStockThreshold = 0): Promise<string> {
    const sku = `SKU-${randomUUID()}`;
    const { status, body } = await eventually(async () => {
      const answer = await this.request('PUT', `/stock/${sku}`, { available, lowStockThreshold });
      // So the gateway answers when a busy machine takes longer than 30 seconds to start the function.
      if (answer.status === 503) throw new Error('PUT /stock answered 503');
      return answer;
    });
    if (status !== 200) throw new Error(`PUT /stock answered ${status}: ${JSON.stringify(body)}`);
    return sku;
  }

  async stock(sku: string): Promise<{ available: number; reserved: number; shipped: number }> {
    const { body } = await this.request('GET', `/stock/${sku}`);
    return { available: body.available, reserved: body.reserved, shipped: body.shipped };
  }

  /** Places an order and returns its id. */
  async place(order: unknown, headers: Record<string, string> = {}): Promise<string> {
    const { status, body } = await this.request('POST', '/orders', order, headers);
    if (status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
    return body.orderId;
  }

  /** Starts the checkout of an order and returns its id, which is that of the order as well. */
  async checkOut(order: unknown): Promise<string> {
    const { status, body } = await this.request('POST', '/checkouts', order);
    if (status !== 202) throw new Error(`POST /checkouts answered ${status}: ${JSON.stringify(body)}`);
    return body.checkoutId;
  }

  /** Waits until a checkout has this status, and returns it. */
  async checkoutThatIs(checkoutId: string, status: string): Promise<AnswerBody> {
    return eventually(async () => {
      const { body } = await this.request('GET', `/checkouts/${checkoutId}`);
      if (body.status === status) return body;
      throw new Error(`Checkout ${checkoutId} is not ${status}: ${JSON.stringify(body)}`);
    });
  }

  async order(orderId: string): Promise<OrderView> {
    const { status, body } = await this.request('GET', `/orders/${orderId}`);
    if (status !== 200) throw new Error(`GET /orders/${orderId} answered ${status}`);
    return body;
  }

  /** Waits until the order's timeline has this event, and returns the order. */
  async orderWith(orderId: string, event: string): Promise<OrderView> {
    return eventually(async () => {
      const order = await this.order(orderId);
      if (order.timeline.some((entry) => entry.event === event)) return order;
      throw new Error(`Order ${orderId} is ${order.status}, without ${event}: ${JSON.stringify(order.timeline)}`);
    });
  }

  /** The e-mails and SMS that were sent to a recipient. */
  async messagesTo(recipient: string): Promise<{ kind: string; subject?: string; text?: string }[]> {
    const response = await fetch(`${this.#system.messagesUrl}?to=${encodeURIComponent(recipient)}`);
    return ((await response.json()) as { messages: [] }).messages;
  }
}

/** The body of an order of one line, with an address for mail of its own. */
export function orderOf(sku: string, quantity = 1, overrides: Record<string, unknown> = {}) {
  return {
    customer: { name: 'Ada Example', email: `${randomUUID()}@example.com` },
    shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
    currency: 'EUR',
    lines: [{ sku, quantity, unitPrice: 349 }],
    paymentToken: 'tok_approved',
    ...overrides,
  };
}

/** An order of one article as the partner acme sends it, with a number and an address of its own. */
export function partnerOrderOf(article: string, changes: Record<string, unknown> = {}) {
  return {
    orderNumber: randomUUID(),
    buyer: { name: 'Ada Example', email: `${randomUUID()}@example.com` },
    deliverTo: { street: 'Mill Lane 1', city: 'Berlin', postcode: '10115', country: 'DE' },
    currency: 'EUR',
    items: [{ article, pieces: 2, price: '3.49' }],
    paymentToken: 'tok_approved',
    ...changes,
  };
}

/** The checkout that becomes of an order of acme. */
export function checkoutIdOf({ orderNumber }: { orderNumber: string }): string {
  return derivedId(['partner-order', 'acme', orderNumber]);
}

/**
 * The minute of a time, as the routes of figures take it.
 * @example minuteOf(Date.now()); // 2026-01-31T12:00Z
 */
export function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`;
}
