import { GetQueueAttributesCommand, paginateListQueues } from '@aws-sdk/client-sqs';
import type { LineageNode } from '@millrace/lineage';
import { eventually } from '@millrace/testing';
import { Aws } from '../end-to-end/aws.ts';
import type { Shop } from '../end-to-end/shop.ts';

/** An order that was accepted. */
export interface PlacedOrder {
  orderId: string;
  sku: string;
  quantity: number;
  /** Whose it is: a customer's, or a partner's. */
  customerId: string;
  /** Of an order that the state machine carries out. */
  process?: 'checkout';
}

/** Of each SKU, before the first order. */
export const INITIAL_STOCK = 1_000;

/** The events of an order that is sent to its customer. */
const TIMELINE = ['OrderConfirmed', 'OrderPlaced', 'PaymentProcessed', 'ShipmentCreated', 'StockReserved'];

/** What a checkout has beside it: in the order's own timeline, and on the bus. */
const OF_CHECKOUTS = { timeline: 'OrderLocked', event: 'StartCheckout' };

/** What was received when the runtime was killed is hidden for its visibility timeout, and may have to wait for what else was. */
const END_WITHIN_MS = 240_000;

/**
 * Waits until all orders have ended, and finds what is not as it must be.
 * @param shops as those see it who have ordered
 * @returns a line each
 */
export async function findViolations(
  shops: readonly Shop[],
  awsUrl: string,
  orders: readonly PlacedOrder[],
  skus: readonly string[],
): Promise<string[]> {
  const violations: string[] = [];
  const check = async (what: string, look: () => Promise<string | undefined>): Promise<void> => {
    let found: string | undefined;
    try {
      await eventually(
        async () => {
          found = await look();
          if (found !== undefined) throw new Error(found);
        },
        { deadlineMs: END_WITHIN_MS, intervalMs: 2_000 },
      );
    } catch (error) {
      violations.push(`${what}: ${found ?? (error as Error).message}`);
    }
  };
  const [anyone] = shops;
  await Promise.all([
    ...shops.flatMap((shop) => {
      const own = orders.filter(({ customerId }) => customerId === shop.customerId);
      return [
        ...own.map((order) => check(`order ${order.orderId}`, () => unfinished(shop, order))),
        ...own.map((order) => check(`events of order ${order.orderId}`, () => repeated(shop, order))),
        check(`orders of ${shop.customerId}`, () => uncounted(shop, own)),
      ];
    }),
    ...skus.map((sku) => check(`stock ${sku}`, () => unbalanced(anyone as Shop, sku, orders))),
  ]);
  await check('dead letters', () => deadLetters(awsUrl));
  return violations;
}

async function unfinished(shop: Shop, { orderId, process }: PlacedOrder): Promise<string | undefined> {
  const { status, timeline } = await shop.order(orderId);
  const events = timeline.map(({ event }) => event).toSorted();
  const wanted = [...TIMELINE, ...(process ? [OF_CHECKOUTS.timeline] : [])].sort();
  const isDone = status === 'CONFIRMED' && events.join() === wanted.join();
  return isDone ? undefined : `is ${status}, with ${events.join(', ')}`;
}

/** Every piece is on the shelf or in one parcel. */
async function unbalanced(shop: Shop, sku: string, orders: readonly PlacedOrder[]): Promise<string | undefined> {
  const ordered = orders.filter((order) => order.sku === sku).reduce((sum, { quantity }) => sum + quantity, 0);
  const wanted = JSON.stringify({ available: INITIAL_STOCK - ordered, reserved: 0, shipped: ordered });
  const stock = JSON.stringify(await shop.stock(sku));
  return stock === wanted ? undefined : `is ${stock}, not ${wanted}`;
}

/** Each event has happened once. */
async function repeated(shop: Shop, { orderId, process }: PlacedOrder): Promise<string | undefined> {
  const { body, status } = await shop.request('GET', `/lineage/${orderId}`);
  if (status !== 200) return `answered ${status}`;
  const types = body.trees.flatMap(({ events }) => events.flatMap(typesOf));
  const wrong = [...TIMELINE, ...(process ? [OF_CHECKOUTS.event] : [])]
    .map((name) => `${name}.v1`)
    .filter((type) => types.filter((other) => other === type).length !== 1);
  return wrong.length === 0 ? undefined : `not once each: ${wrong.join(', ')} of ${types.join(', ')}`;
}

function typesOf(node: LineageNode): string[] {
  return [node.detailType, ...node.events.flatMap(typesOf)];
}

/** No order was placed twice because its first answer was lost. */
async function uncounted(shop: Shop, orders: readonly PlacedOrder[]): Promise<string | undefined> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await shop.request('GET', `/orders?limit=100${page}`);
    found.push(...body.orders.map(({ orderId }) => orderId));
    cursor = body.cursor;
  } while (cursor !== undefined);
  const accepted = orders.map(({ orderId }) => orderId).toSorted();
  const same = found.toSorted().join() === accepted.join();
  return same ? undefined : `${found.length} are listed, ${accepted.length} were accepted`;
}

async function deadLetters(awsUrl: string): Promise<string | undefined> {
  const { sqs } = new Aws({ awsUrl });
  const filled: string[] = [];
  for await (const { QueueUrls = [] } of paginateListQueues({ client: sqs }, {})) {
    for (const QueueUrl of QueueUrls.filter((url) => url.endsWith('-dlq'))) {
      const AttributeNames = ['ApproximateNumberOfMessages' as const];
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      const count = Number(Attributes?.ApproximateNumberOfMessages);
      if (count > 0) filled.push(`${count} in ${QueueUrl}`);
    }
  }
  return filled.length === 0 ? undefined : filled.join(', ');
}
