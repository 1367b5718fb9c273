import { randomUUID } from 'node:crypto';
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
  lowStockThreshold: number;
  /** Of a problem document. */
  code: string;
  detail: string;
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
  timeline: TimelineEntry[];
}

/** A customer of the shop: the HTTP API as a test uses it. */
export class Shop {
  readonly #system: Pick<System, 'apiUrl' | 'messagesUrl'>;

  constructor(system: Pick<System, 'apiUrl' | 'messagesUrl'>) {
    this.#system = system;
  }

  /** Sends a request. A body is sent as JSON unless it is text. */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.#system.apiUrl}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }

  /** Sets the stock of a SKU that no other test uses, and returns the SKU. */
  async stocked(available: number, lowStockThreshold = 0): Promise<string> {
    const sku = `SKU-${randomUUID()}`;
    const { status, body } = await this.request('PUT', `/stock/${sku}`, { available, lowStockThreshold });
    if (status !== 200) throw new Error(`PUT /stock answered ${status}: ${JSON.stringify(body)}`);
    return sku;
  }

  async stock(sku: string): Promise<{ available: number; reserved: number }> {
    const { body } = await this.request('GET', `/stock/${sku}`);
    return { available: body.available, reserved: body.reserved };
  }

  /** Places an order and returns its id. */
  async place(order: unknown, headers: Record<string, string> = {}): Promise<string> {
    const { status, body } = await this.request('POST', '/orders', order, headers);
    if (status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
    return body.orderId;
  }

  async order(orderId: string): Promise<OrderView> {
    const { status, body } = await this.request('GET', `/orders/${orderId}`);
    if (status !== 200) throw new Error(`GET /orders/${orderId} answered ${status}`);
    return body;
  }

  /** Waits until the order's timeline has this event, and returns the order. */
  async orderWith(orderId: string, event: string, deadlineMs = 20_000): Promise<OrderView> {
    return eventually(
      async () => {
        const order = await this.order(orderId);
        if (order.timeline.some((entry) => entry.event === event)) return order;
        throw new Error(`Order ${orderId} is ${order.status}, without ${event}: ${JSON.stringify(order.timeline)}`);
      },
      { deadlineMs },
    );
  }

  /** The e-mails and SMS that were sent to a recipient. */
  async messagesTo(recipient: string): Promise<{ kind: string; subject?: string; text?: string }[]> {
    const response = await fetch(`${this.#system.messagesUrl}?to=${encodeURIComponent(recipient)}`);
    return ((await response.json()) as { messages: [] }).messages;
  }
}

/** The body of an order of one line by a customer of its own. */
export function orderOf(sku: string, quantity = 1, overrides: Record<string, unknown> = {}) {
  const id = randomUUID();
  return {
    customer: { id, name: 'Ada Example', email: `${id}@example.com` },
    shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
    currency: 'EUR',
    lines: [{ sku, quantity, unitPrice: 349 }],
    paymentToken: 'tok_approved',
    ...overrides,
  };
}
