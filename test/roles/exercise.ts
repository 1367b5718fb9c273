import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { eventDigest, type ReemitRequest, type ReemitResponse } from '@millrace/dead-letters';
import { StockRanLow } from '@millrace/inventory/events';
import type { RefusedAccess } from '@millrace/local';
import { requestToken } from '@millrace/local/request-token';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { GRACE_MS } from '@millrace/timers';
import { chooseCheckoutProcess } from '../../scripts/cost/checkout-process.ts';
import { exampleOrder } from '../../services/orders/events/index.ts';
import { ordersOf } from '../end-to-end/overdue-orders.ts';
import { checkoutIdOf, minuteOf, orderOf, partnerOrderOf } from '../end-to-end/shop.ts';
import { CODE, slotOf, slotsIn } from '../end-to-end/slots.ts';
import { checksOut, refusesBadSteps, undoesACheckout, undoesStepsOfACheckout } from './checkouts.ts';
import { grantsOf } from './grants.ts';
import type { RunningShop } from './running-shop.ts';

/** What a step works with. */
interface Stage extends RunningShop {
  /** Waits until `check` no longer throws; gives up when another step has failed. */
  until: <Result>(check: () => Result | Promise<Result>) => Promise<Result>;
  /** Remembers what is refused on purpose. */
  expectRefusal: (refused: Pick<RefusedAccess, 'caller' | 'resource'>) => void;
}

/** Throws when something that the system should do is not done. */
export type Step = (stage: Stage) => Promise<void>;

/** Longer than messages wait that an exercise before has left behind: two visibility timeouts. */
const DEADLINE_MS = 120_000;
const OPERATIONS = 'operations@millrace.example';

/**
 * Uses every permission of every function once, and looks at what comes of it: orders that are confirmed, out of stock, refused and
 * refunded, mails, an SMS, low stock, messages and records that cannot be handled, dead events that are put back.
 *
 * @param failFast ends as soon as the runtime refuses something that no step expects, instead of when its effect is missed
 * @throws the first thing that was wrong, with the name of the step
 */
export async function exercise(running: RunningShop, { failFast = true } = {}): Promise<void> {
  const loggedBefore = new Map(running.logged);
  await together(running, failFast, [
    confirmsAnOrder,
    countsStock,
    logsWhatHappens,
    keepsReadModels,
    refusesWhatIsOutOfStock,
    cancelsWhatIsNotPaid,
    refundsWhatIsCancelled,
    endsWhatIsTooLate,
    sweepsWhatHasNoSchedule,
    refusesBadRequests,
    keepsTopicsFromMessengers,
    reemitsAndParks,
    takesPartnersOrders,
    followsVisitors,
    countsOrders,
    keepsSlots,
    freesWhatIsUnattended,
    handsOverAndFrees,
    ...consumers(running).map(buriesPoison),
    ...relays(running).map(buriesWhatCannotBeEmitted),
    ...streamConsumers(running).map(buriesBadRecords),
  ]);
  // Afterwards: all of it at once is more than one process answers in time.
  await together(running, failFast, [checksOut, undoesACheckout, undoesStepsOfACheckout, refusesBadSteps]);
  // Then the same checkouts in a stage that has chosen the durable function.
  const chooseAgain = await chooseCheckoutProcess(running.aws.lambda, 'durable-function');
  try {
    await together(running, failFast, [checksOut, undoesACheckout]);
  } finally {
    await chooseAgain();
  }
  const silent = running.runtime.functionNames.filter(
    (name) => (running.logged.get(name) ?? 0) === (loggedBefore.get(name) ?? 0),
  );
  equal(silent.length, 0, `logged nothing: ${silent.join(', ')}`);
}

/** Runs steps at the same time. When one has failed, the others are given up. */
async function together(running: RunningShop, failFast: boolean, steps: readonly Step[]): Promise<void> {
  const controller = new AbortController();
  const expected = new Set<string>();
  const named = ({ caller, resource }: Pick<RefusedAccess, 'caller' | 'resource'>): string => `${caller} ${resource}`;
  const keyOf = ({ message, detailType = '' }: RefusedAccess): string => `${detailType} ${message}`;
  const before = new Map(running.runtime.refusals().map((refused) => [keyOf(refused), refused.times]));
  const endWhenRefused = (): void => {
    const refusal = running.runtime
      .refusals()
      .find((refused) => refused.times > (before.get(keyOf(refused)) ?? 0) && !expected.has(named(refused)));
    if (refusal) controller.abort(new Error(`refused: ${refusal.action} on ${refusal.resource}`));
  };
  const watch = failFast ? setInterval(endWhenRefused, 10) : undefined;
  const { signal } = controller;
  const stage: Stage = {
    ...running,
    until: (check) => eventually(check, { deadlineMs: DEADLINE_MS, signal }),
    expectRefusal: (refused) => expected.add(named(refused)),
  };
  try {
    await Promise.all(
      steps.map(async (step) => {
        try {
          await step(stage);
        } catch (error) {
          controller.abort(new Error(`${step.name}: ${(error as Error).message.split('\n')[0]}`, { cause: error }));
        }
      }),
    );
  } finally {
    clearInterval(watch);
  }
  if (failFast) endWhenRefused();
  signal.throwIfAborted();
}

const confirmsAnOrder: Step = async ({ shop, until }) => {
  const sku = await shop.stocked(2, 2);
  const phone = `+49151${String(Date.now()).slice(-8)}`;
  const order = orderOf(sku);
  const body = { ...order, customer: { ...order.customer, phone } };
  const key = { 'idempotency-key': randomUUID() };
  const orderId = await shop.place(body, key);
  equal(await shop.place(body, key), orderId, 'the same key made another order');
  await until(async () => {
    const { status, timeline } = await shop.order(orderId);
    equal(status, 'CONFIRMED', `the order is ${status} after ${timeline.at(-1)?.event}`);
  });
  // One piece is left, and the other one has gone with the parcel.
  await until(() => holds(shop, sku, 1, 0));
  await until(async () => {
    const messages = [...(await shop.messagesTo(phone)), ...(await shop.messagesTo(order.customer.email))];
    const kinds = messages.map(({ kind }) => kind).join(' and ');
    equal(kinds, 'sms and email', `the customer got ${kinds || 'nothing'}`);
  });
  await until(() => toldOperations(shop, sku));
};

const countsStock: Step = async ({ shop, until }) => {
  const sku = await shop.stocked(5, 3);
  const { status } = await shop.request('POST', `/stock/${sku}/count`, { counted: 2, expectedOnHand: 5 });
  equal(status, 200, `POST /stock/${sku}/count answered ${status}`);
  await holds(shop, sku, 2, 0);
  await until(() => toldOperations(shop, sku));
};

const logsWhatHappens: Step = async ({ shop, until }) => {
  const from = new Date(Date.now() - 60_000).toISOString();
  const orderId = await shop.place(orderOf(await shop.stocked(0)));
  const tree = await until(async () => {
    const { status, body } = await shop.request('GET', `/lineage/${orderId}`);
    equal(status, 200, `GET /lineage answered ${status}`);
    return body.trees[0];
  });
  const id = tree?.events[0]?.id;
  equal((await shop.request('GET', `/events/${id}`)).status, 200, 'the event is not to be had');
  const range = `from=${from}&to=${new Date(Date.now() + 60_000).toISOString()}`;
  const { status } = await shop.request('GET', `/events?${range}`);
  equal(status, 200, `GET /events answered ${status}`);
};

/** While a rebuild is under way the consumer writes the new version as well, from the order's stream. */
const keepsReadModels: Step = async ({ shop, aws, until }) => {
  const TableName = 'millrace-orders-dev-projections';
  const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };
  await aws.dynamodb.send(
    new PutCommand({ TableName, Item: { pk: 'order-summary', sk: 'POINTER', pointer: { live: 1, building } } }),
  );
  const orderId = await shop.place(orderOf(await shop.stocked(0)));
  await until(async () => {
    const { status, body } = await shop.request('GET', '/orders?status=CANCELLED&limit=100');
    equal(status, 200, `GET /orders answered ${status}`);
    ok(
      body.orders.some((order) => order.orderId === orderId),
      'the order is not in the list',
    );
    const today = new Date().toISOString().slice(0, 10);
    const report = await shop.request('GET', `/reports/daily-sales?from=${today}&to=${today}`);
    equal(report.status, 200, `GET /reports/daily-sales answered ${report.status}`);
    const Key = { pk: `order-summary#2#ROW#${orderId}`, sk: 'SUMMARY' };
    const { Item } = await aws.dynamodb.send(new GetCommand({ TableName, Key }));
    equal(Item?.row.status, 'CANCELLED', 'the new version of a projection has not had the order');
  });
};

const refusesWhatIsOutOfStock: Step = async ({ shop, until }) => {
  const orderId = await shop.place(orderOf(await shop.stocked(1), 2));
  await until(() => isCancelled(shop, orderId, 'OUT_OF_STOCK'));
};

const cancelsWhatIsNotPaid: Step = async ({ shop, aws, until }) => {
  const sku = await shop.stocked(5);
  const orderId = await shop.place(orderOf(sku, 2, { paymentToken: 'tok_declined' }));
  await until(() => isCancelled(shop, orderId, 'PAYMENT_FAILED'));
  await until(() => holds(shop, sku, 5, 0));
  await until(async () => {
    const Key = { pk: `SHIPMENT#${orderId}`, sk: 'SHIPMENT' };
    const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-fulfillment-dev', Key }));
    equal(Item?.status, 'CANCELLED', 'the shipment is not recalled');
  });
};

/** The provider's answer gets lost, so the customer can cancel before the order is paid. */
const refundsWhatIsCancelled: Step = async ({ shop, aws, until }) => {
  const sku = await shop.stocked(5);
  const orderId = await shop.place(orderOf(sku, 2, { paymentToken: 'tok_answer_lost' }));
  await until(() => holds(shop, sku, 3, 2));
  equal((await shop.request('POST', `/orders/${orderId}/cancellation`)).status, 202, 'not cancelled');
  await until(() => holds(shop, sku, 5, 0));
  await until(async () => {
    const Key = { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' };
    const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-payments-dev', Key }));
    // Whichever came first, the question to the provider or the cancellation.
    ok(['REFUNDED', 'CANCELLED'].includes(Item?.status), `the payment is ${Item?.status}`);
  });
};

/** An order whose charge is lost, and whose deadline has passed already: its schedule runs some seconds later. */
const endsWhatIsTooLate: Step = async ({ shop, aws, runtime, until }) => {
  const sku = await shop.stocked(5);
  const orderId = await placeOverdue(shop, runtime, sku, 1);
  await until(() => isCancelled(shop, orderId, 'TIMED_OUT'));
  await until(() => holds(shop, sku, 5, 0));
  // An order has a schedule until it has ended. It waits for its charge, so that its end is not in the batch of its beginning.
  const waiting = await shop.place(orderOf(await shop.stocked(1), 1, { paymentToken: 'tok_outage' }));
  await until(async () => ok((await aws.scheduleNames()).includes(waiting), 'an order has no schedule'));
  equal((await shop.request('POST', `/orders/${waiting}/cancellation`)).status, 202, 'not cancelled');
  await until(async () => {
    ok(!(await aws.scheduleNames()).includes(waiting), 'the schedule of an order that has ended is still there');
  });
};

const sweepsWhatHasNoSchedule: Step = async ({ shop, aws, runtime, until }) => {
  const orderId = await placeOverdue(shop, runtime, await shop.stocked(5), GRACE_MS + 1_000);
  await aws.invoke('orders', 'sweepTimeLimits');
  await until(() => isCancelled(shop, orderId, 'TIMED_OUT'));
};

/** Places an order past its deadline by as much, which only a test can. */
async function placeOverdue(
  shop: RunningShop['shop'],
  system: Pick<RunningShop['runtime'], 'awsUrl'>,
  sku: string,
  overdueMs: number,
) {
  const orderId = randomUUID();
  await ordersOf(system).execute(
    orderId,
    {
      type: 'PlaceOrder',
      order: {
        ...exampleOrder,
        ...{ orderId, customer: { ...exampleOrder.customer, id: shop.customerId }, paymentToken: 'tok_outage' },
        lines: [{ sku, quantity: 2, unitPrice: 349 }],
      },
      deadline: new Date(Date.now() - overdueMs).toISOString(),
    },
    { correlationId: randomUUID() },
  );
  return orderId;
}

/** Of what goes well, functions behind routes log nothing. */
const refusesBadRequests: Step = async ({ shop, routes, runtime }) => {
  const scope = routes.flatMap(({ scopes }) => scopes).join(' ');
  const token = await requestToken(runtime.issuerUrl, { subject: 'somebody', scope });
  for (const { key } of routes) {
    const [method = '', template = ''] = key.split(' ');
    const path = `${template.replace(/\{[^}]+\}/g, 'no-such-thing')}?nonsense=1`;
    const body = method === 'GET' ? undefined : {};
    const { status } = await shop.request(method, path, body, { authorization: `Bearer ${token}` });
    ok([400, 404].includes(status), `${method} ${path} answered ${status}`);
  }
};

/** Whoever sends messages to telephones needs a permission that has no resource; it must not reach any topic. */
const keepsTopicsFromMessengers: Step = async ({ runtime, expectRefusal }) => {
  const topic = 'arn:aws:sns:us-east-1:000000000000:millrace-dev-alarms';
  const messengers = grantsOf(runtime).filter(
    ({ effect, actions, resources }) =>
      effect === 'Allow' && actions.includes('sns:Publish') && resources.includes('*'),
  );
  for (const { functionName } of messengers) {
    expectRefusal({ caller: functionName, resource: topic });
    const credential = `Credential=${functionName}/20260101/us-east-1/sns/aws4_request`;
    const response = await fetch(runtime.awsUrl, {
      method: 'POST',
      headers: { authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=x` },
      body: new URLSearchParams({ Action: 'Publish', TopicArn: topic, Message: 'not an alarm' }),
    });
    equal(response.status, 403, `${functionName} could publish to a topic`);
  }
};

/** The same order twice: the second time the checkout is looked up. */
const takesPartnersOrders: Step = async ({ aws, until }) => {
  const order = partnerOrderOf(`SKU-${randomUUID()}`);
  const bad = partnerOrderOf('of nobody', { currency: 'none' });
  const [queue, letters] = await Promise.all(['acme', 'acme-dlq'].map((name) => aws.queueUrl('partner-orders', name)));
  await aws.sendAll(
    String(queue),
    [order, order, bad].map((body) => JSON.stringify(body)),
  );
  await until(async () => {
    const Key = { pk: `CHECKOUT#${checkoutIdOf(order)}`, sk: 'CHECKOUT' };
    const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-checkout-dev', Key }));
    equal(Item?.customerId, 'partner:acme', 'the order of the partner is not checked out');
  });
  await until(async () => {
    const letter = (await aws.take(String(letters))).find(({ Body }) => Body?.includes(bad.orderNumber));
    equal(letter?.MessageAttributes?.ErrorCode?.StringValue, 'INVALID_ORDER', 'the bad order is not a dead letter');
  });
  await until(async () => equal(await aws.depth(String(queue)), 0, 'orders of the partner are left in the queue'));
};

/** The second batch finds the session, and the first one begins it. */
const followsVisitors: Step = async ({ shop, until }) => {
  const sessionId = randomUUID();
  for (const page of ['home', 'cart']) {
    const { status } = await shop.request('POST', '/interactions', { sessionId, views: [{ id: randomUUID(), page }] });
    equal(status, 202, `POST /interactions answered ${status}`);
  }
  const session = await until(async () => {
    const { status, body } = await shop.request('GET', `/analytics/sessions/${sessionId}`);
    equal(status, 200, `GET /analytics/sessions answered ${status}`);
    equal(body.path.length, 2, 'views of the session are missing');
    return body;
  });
  const minute = Date.parse(session.startedAt);
  const [from, to] = [minute, minute + 60_000].map(minuteOf);
  const { status, body } = await shop.request('GET', `/analytics/series?of=views&from=${from}&to=${to}`);
  equal(status, 200, `GET /analytics/series of views answered ${status}`);
  ok((body.minutes[0]?.views ?? 0) >= 1, 'the views are not counted');
  const list = await shop.request('GET', `/analytics/sessions?limit=100&from=${from}&to=${to}`);
  equal(list.status, 200, `GET /analytics/sessions answered ${list.status}`);
  ok(list.body.sessions.length >= 1, 'the session is not listed');
};

/** The second order finds the minute that the first one has begun, or begins another. */
const countsOrders: Step = async ({ shop, until }) => {
  const sku = await shop.stocked(0);
  const now = Date.now();
  await shop.place(orderOf(sku, 2));
  await shop.place(orderOf(sku, 3));
  const range = `from=${minuteOf(now - 60_000)}&to=${minuteOf(now + 600_000)}`;
  await until(async () => {
    const { status, body } = await shop.request('GET', `/analytics/top?limit=100&${range}`);
    equal(status, 200, `GET /analytics/top answered ${status}`);
    equal(body.skus.find((each) => each.sku === sku)?.quantity, 5, 'the pieces are not counted');
  });
  for (const name of ['series', 'funnel', 'anomalies']) {
    const { status } = await shop.request('GET', `/analytics/${name}?${range}`);
    equal(status, 200, `GET /analytics/${name} answered ${status}`);
  }
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  await until(async () => {
    const query = `by=day&from=${day(now)}&to=${day(now + 2 * 86_400_000)}`;
    const { status, body } = await shop.request('GET', `/analytics/cohorts?${query}`);
    equal(status, 200, `GET /analytics/cohorts answered ${status}`);
    ok((body.cohorts[0]?.ordersOfPeriod.repeat ?? 0) >= 1, 'the repeat orders are not counted');
  });
};

/** A slot is reserved, cancelled, reserved, attended and left; another one is closed and opened; and the slots of the coming days are made. */
const keepsSlots: Step = async (stage) => {
  const { shop, aws, runtime, until } = stage;
  const { slotId, location, date } = await slotOf(runtime, { startsIn: -1 });
  const send = async (method: string, suffix: string, body?: unknown) => {
    const answer = await shop.request(method, `/slots/${slotId}/${suffix}`, body);
    ok(answer.status < 300, `${method} ${suffix} answered ${answer.status}`);
    return answer.body;
  };
  const first = await send('POST', 'reservation');
  const schedule = `${first.reservation?.reservationId}.check-in`;
  await until(async () => ok((await aws.scheduleNames()).includes(schedule), 'a reservation has no schedule'));
  await send('DELETE', 'reservation');
  await until(async () => {
    ok(!(await aws.scheduleNames()).includes(schedule), 'the schedule of a cancelled reservation is still there');
  });
  const { checkInCode: code } = await send('POST', 'reservation');
  await send('POST', 'check-in', { code });
  await send('POST', 'check-out');
  await send('POST', 'closure');
  await send('DELETE', 'closure');
  equal((await shop.request('GET', `/slots/${slotId}`)).body.status, 'FREE', 'the slot is not free');
  await aws.invoke('reservations', 'generateSlots');
  await until(async () => {
    const { status, body } = await shop.request('GET', `/locations/${location.id}/slots?date=${date}`);
    equal(status, 200, `GET /locations/${location.id}/slots answered ${status}`);
    ok(
      body.slots.some((slot) => slot.slotId === slotId && slot.status === 'FREE'),
      'the slot is not on display',
    );
  });
};

/** One by its schedule, which runs some seconds later, and one by the sweep. */
const freesWhatIsUnattended: Step = async ({ shop, aws, runtime, until }) => {
  const LATE = 10;
  const holder = shop.customerId;
  const { slotId } = await slotOf(runtime, { startsIn: -LATE, holder });
  const unscheduled = await slotOf(runtime, { startsIn: -LATE - GRACE_MS / 60_000 - 1, holder });
  await aws.invoke('reservations', 'sweepTimeLimits');
  for (const id of [slotId, unscheduled.slotId]) {
    await until(async () =>
      equal((await slotsIn(runtime).load(id)).ended?.outcome, 'UNATTENDED', 'the slot is not free'),
    );
  }
};

/** An order is handed over in its slot; another one names the slot of somebody else; and a cancelled one frees its slot. */
const handsOverAndFrees: Step = async ({ shop, runtime, until }) => {
  const sku = await shop.stocked(5);
  const mine = await slotOf(runtime, { startsIn: -1, holder: shop.customerId });
  const orderId = await shop.place(orderOf(sku, 1, { slotId: mine.slotId }));
  await until(async () => {
    const { status, pickUp } = await shop.order(orderId);
    equal(`${status} ${pickUp?.status}`, 'CONFIRMED READY', 'the order does not lie ready');
  });
  const { status } = await shop.request('POST', `/slots/${mine.slotId}/check-in`, { code: CODE });
  equal(status, 200, `POST check-in answered ${status}`);
  await until(async () => {
    const { pickUp } = await shop.order(orderId);
    equal(pickUp?.status, 'HANDED_OVER', 'the order is not handed over');
  });
  const foreign = await slotOf(runtime, { holder: 'somebody' });
  const refused = await shop.place(orderOf(sku, 1, { slotId: foreign.slotId }));
  await until(() => isCancelled(shop, refused, 'SLOT_REFUSED'));
  const freed = await slotOf(runtime, { holder: shop.customerId });
  const declined = await shop.place(orderOf(sku, 1, { slotId: freed.slotId, paymentToken: 'tok_declined' }));
  await until(() => isCancelled(shop, declined, 'PAYMENT_FAILED'));
  await until(async () => {
    equal((await slotsIn(runtime).load(freed.slotId)).ended?.outcome, 'CANCELLED', 'the slot is not free');
  });
};

const reemitsAndParks: Step = async ({ shop, aws, until }) => {
  const queueUrl = await aws.queueUrl('notifications', 'on-stock-ran-low-rule-dlq');
  const sku = `SKU-${randomUUID()}`;
  const bodies = [envelopeText(sampleEvent(StockRanLow, { sku })), `<${sku}/>`];
  for (const body of bodies) {
    const attributes = { EventDigest: { DataType: 'String', StringValue: eventDigest(body) } };
    await aws.sqs.send(
      new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes: attributes }),
    );
  }
  const messages: ReemitRequest['messages'] = [];
  await until(async () => {
    const received = await aws.receive(queueUrl);
    for (const { MessageId = '', ReceiptHandle = '', Body = '', MessageAttributes = {} } of received) {
      if (!bodies.includes(Body)) continue;
      const attributes = Object.entries(MessageAttributes).map(([name, value]) => [name, value.StringValue ?? '']);
      const message = { messageId: MessageId, receiptHandle: ReceiptHandle, body: Body };
      messages.push({ ...message, attributes: Object.fromEntries(attributes) });
    }
    equal(messages.length, bodies.length, 'letters are missing');
  });
  const request: ReemitRequest = { queueName: queueUrl.slice(queueUrl.lastIndexOf('/') + 1), messages };
  const answer = await aws.lambda.send(
    new InvokeCommand({ FunctionName: 'millrace-re-emitter-dev-reemit', Payload: JSON.stringify(request) }),
  );
  const text = answer.Payload?.transformToString() ?? '';
  equal(answer.FunctionError, undefined, text);
  const { results } = JSON.parse(text) as ReemitResponse;
  const outcomeOf = (body: string | undefined): unknown => {
    const { outcome, stillThere } =
      results.find(({ messageId }) => messageId === messages.find((message) => message.body === body)?.messageId) ?? {};
    return { outcome, stillThere };
  };
  deepStrictEqual(outcomeOf(bodies[0]), { outcome: 'reemitted', stillThere: undefined }, text);
  deepStrictEqual(outcomeOf(bodies[1]), { outcome: 'parked', stillThere: undefined }, text);
  await until(() => toldOperations(shop, sku));
};

async function isCancelled(shop: RunningShop['shop'], orderId: string, reason: string): Promise<void> {
  const { status, cancellation } = await shop.order(orderId);
  equal(cancellation?.reason, reason, `the order is ${status}`);
}

async function holds(shop: RunningShop['shop'], sku: string, available: number, reserved: number): Promise<void> {
  const stock = await shop.stock(sku);
  equal(
    `${stock.available} and ${stock.reserved}`,
    `${available} and ${reserved}`,
    `the stock is ${JSON.stringify(stock)}`,
  );
}

async function toldOperations(shop: RunningShop['shop'], sku: string): Promise<void> {
  const mails = await shop.messagesTo(OPERATIONS);
  ok(
    mails.some(({ text, subject }) => `${subject} ${text}`.includes(sku)),
    `nobody was told that ${sku} runs low`,
  );
}

/** What reads a queue or a stream, with where it puts what it gives up. */
interface Reader {
  functionName: string;
  /** ARN of the queue or stream. */
  source: string;
  /** Name of the queue. */
  deadLetterQueue: string;
}

function readersWith(running: RunningShop, action: string): Reader[] {
  const grants = grantsOf(running.runtime);
  return grants
    .filter(({ actions }) => actions.includes(action))
    .map(({ functionName, resources: [source = ''] }) => {
      const sends = grants.find(
        // A consumer may send to its own queue as well: that defers a message.
        ({ functionName: name, actions, resources }) =>
          name === functionName && actions.includes('sqs:SendMessage') && !resources.includes(source),
      );
      return { functionName, source, deadLetterQueue: sends?.resources[0]?.split(':').at(-1) ?? '' };
    });
}

/** By what their roles let them read. */
const consumers = (running: RunningShop): Reader[] => readersWith(running, 'sqs:ReceiveMessage');
const relays = (running: RunningShop): Reader[] => readersWith(running, 'dynamodb:GetRecords');

const streamConsumers = (running: RunningShop): Reader[] => readersWith(running, 'kinesis:GetRecords');

/** A record that is not JSON becomes a dead letter at once. */
function buriesBadRecords({ functionName, source, deadLetterQueue }: Reader): Step {
  const step: Step = async ({ aws, until, runtime }) => {
    const QueueUrl = `${runtime.awsUrl}/000000000000/${deadLetterQueue}`;
    const poison = `poison ${randomUUID()}`;
    await aws.putRecord(source, poison);
    await until(async () => {
      const letter = (await aws.take(QueueUrl)).find(({ Body }) =>
        Body?.includes(Buffer.from(poison).toString('base64')),
      );
      equal(letter?.MessageAttributes?.ErrorCode?.StringValue, 'MALFORMED_RECORD', `no letter in ${deadLetterQueue}`);
    });
  };
  return named(step, `buriesBadRecords of ${functionName}`);
}

function buriesPoison({ functionName, source, deadLetterQueue }: Reader): Step {
  const step: Step = async ({ aws, until, runtime }) => {
    const urlOf = (name = ''): string => `${runtime.awsUrl}/000000000000/${name}`;
    const body = `poison ${randomUUID()}`;
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: urlOf(source.split(':').at(-1)), MessageBody: body }));
    await until(async () => {
      const letters = await aws.take(urlOf(deadLetterQueue));
      const code = letters.find(({ Body }) => Body === body)?.MessageAttributes?.ErrorCode?.StringValue;
      equal(code, 'MALFORMED_EVENT', `no letter in ${deadLetterQueue}`);
    });
  };
  return named(step, `buriesPoison of ${functionName}`);
}

/** A stored row that is not an event becomes a dead letter at once. */
function buriesWhatCannotBeEmitted({ functionName, source, deadLetterQueue }: Reader): Step {
  const step: Step = async ({ aws, until, runtime }) => {
    const QueueUrl = `${runtime.awsUrl}/000000000000/${deadLetterQueue}`;
    const pk = `EXERCISE#${randomUUID()}`;
    const Item = { pk, sk: 'ROW', outbox: { detail: 'no event' } };
    await aws.dynamodb.send(new PutCommand({ TableName: source.split('/')[1], Item }));
    await until(async () => {
      const letter = (await aws.take(QueueUrl)).find(({ Body }) => Body?.includes(pk));
      equal(letter?.MessageAttributes?.ErrorCode?.StringValue, 'OUTBOX_UNREADABLE', `no letter in ${deadLetterQueue}`);
    });
  };
  return named(step, `buriesWhatCannotBeEmitted of ${functionName}`);
}

function named(step: Step, name: string): Step {
  return Object.defineProperty(step, 'name', { value: name });
}
