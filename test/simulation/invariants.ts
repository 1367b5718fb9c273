import type { AttributeValue, Item } from '@millrace/local/dynamodb-engine';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import { dailySales } from '../../services/orders/projections/daily-sales.ts';
import { storedEventOf } from './aws/stored-event.ts';
import { type Customers, emailOf, MALFORMED } from './customers.ts';
import type { OrderScript } from './plan.ts';
import type { Charge } from './provider.ts';
import { slotsAreRight } from './slot-invariants.ts';
import type { World } from './world.ts';

const MINUTE = 60_000;
/** As serverless.stages.yml says. */
const LIMIT_MS = 15 * MINUTE;
/** By how much the clocks of two containers differ, at most. */
const SKEW_MS = 10 * MINUTE;
/** How late an order may end. */
const LATE_MS = 45 * MINUTE;

/** Of all services, by detail-type. */
const contracts = await loadContracts(serviceDirectories(findWorkspaceRoot(import.meta.dirname)));

/** What must be true when nothing moves any more, and is not. */
export type Violation = string;

/** An order as the tables and the outside world know it. */
interface OrderFacts {
  script: OrderScript;
  orderId: string;
  /** Of its stream: the types of its events. */
  events: string[];
  status: 'PLACED' | 'CONFIRMED' | 'CANCELLED';
  /** When it was stored, and when it should have ended, in ms since 1970. */
  placedAt: number;
  deadline: number;
  /** Why it was cancelled. */
  reason: string;
  charges: Charge[];
  shipment: string | undefined;
  mails: string[];
}

/** Everything that must hold at the end of a history. @returns what does not, in plain words */
export function violationsOf(world: World, customers: Customers): Violation[] {
  const orders = ordersOf(world);
  return [
    ...acceptedOrdersExist(orders, customers),
    ...orders.flatMap((order) => [
      ...ends(order),
      ...endsInTime(world, order),
      ...moneyIsRight(order),
      ...oneMail(world, order),
    ]),
    ...nobodyElsePays(world, orders),
    ...stockIsConserved(world, orders),
    ...slotsAreRight(itemsOf(world, 'millrace-reservations-dev'), orders),
    ...everyEventIsEmitted(world),
    ...variantsAreComplete(world),
    ...lineageIsComplete(world),
    ...projectionsAgree(world, orders),
    ...deadLettersAreAccountedFor(world),
    ...outageCostsNothing(world, orders),
  ];
}

function ordersOf(world: World): OrderFacts[] {
  const streams = new Map<string, Item[]>();
  for (const item of itemsOf(world, 'millrace-orders-dev')) {
    const [pk, sk] = [text(item.pk), text(item.sk)];
    if (!pk.startsWith('ORDER#') || !sk.startsWith('EVENT#')) continue;
    streams.set(pk, [...(streams.get(pk) ?? []), item]);
  }
  const shipments = new Map(
    itemsOf(world, 'millrace-fulfillment-dev').map((item) => [text(item.pk), text(item.status)]),
  );
  return [...streams].flatMap(([pk, items]) => {
    const stored = items.map(storedEventOf);
    const events = stored.map(({ type = '' }) => type);
    const token = stored[0]?.order?.paymentToken ?? '';
    const number = Number(/_(\d+)$/.exec(token)?.[1]);
    const script = world.plan.orders.find((each) => each.number === number);
    if (!script) return [];
    const orderId = pk.slice('ORDER#'.length);
    return [
      {
        script,
        orderId,
        events,
        status: events.includes('OrderConfirmed')
          ? 'CONFIRMED'
          : events.includes('OrderCancelled')
            ? 'CANCELLED'
            : 'PLACED',
        placedAt: world.store.storedEvents.get(text(items[0]?.id))?.at ?? 0,
        deadline: Date.parse(stored[0]?.deadline ?? ''),
        reason: stored.find(({ type }) => type === 'OrderCancelled')?.reason ?? '',
        charges: world.provider.charges.filter((charge) => charge.token === token),
        shipment: shipments.get(`SHIPMENT#${orderId}`),
        mails: world.mail.sent.filter(({ to }) => to === emailOf(number)).map(({ subject }) => subject),
      },
    ];
  });
}

function acceptedOrdersExist(orders: readonly OrderFacts[], { accepted }: Customers): Violation[] {
  const problems: Violation[] = [];
  for (const [number, orderId] of accepted) {
    if (!orders.some((order) => order.orderId === orderId))
      problems.push(`order ${number} was accepted, and is not stored`);
  }
  for (const [number, same] of Map.groupBy(orders, ({ script }) => script.number)) {
    if (same.length > 1) problems.push(`order ${number} was placed ${same.length} times`);
  }
  return problems;
}

function ends({ script: { number }, events, status }: OrderFacts): Violation[] {
  if (status === 'PLACED') return [`order ${number} never ends: it has ${events.join(', ')}`];
  const both = events.includes('OrderConfirmed') && events.includes('OrderCancelled');
  return both ? [`order ${number} was confirmed and cancelled`] : [];
}

/**
 * The clocks of two containers differ by ten minutes at most, a schedule that is lost is made good by the sweep, and a sweep that
 * dies by one of the next.
 */
function endsInTime(
  { store }: World,
  { script: { number }, orderId, placedAt, deadline, reason }: OrderFacts,
): Violation[] {
  const [end] = store.endsOf(orderId);
  if (end === undefined) return [];
  const problems: Violation[] = [];
  const took = Math.round((end - placedAt) / MINUTE);
  if (end > deadline + LATE_MS) problems.push(`order ${number} took ${took} minutes to end`);
  if (reason === 'TIMED_OUT' && end - placedAt < LIMIT_MS - SKEW_MS)
    problems.push(`order ${number} was given up after ${took} minutes, before its time`);
  return problems;
}

function moneyIsRight({ script: { number, lines }, status, charges, shipment }: OrderFacts): Violation[] {
  const problems: Violation[] = [];
  const total = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
  if (charges.length > 1) problems.push(`order ${number} was charged ${charges.length} times`);
  for (const { amount, refunds, paymentId } of charges) {
    if (amount !== total) problems.push(`order ${number} was charged ${amount} instead of ${total}`);
    if (refunds.length > 1)
      problems.push(`charge ${paymentId} of order ${number} was refunded ${refunds.length} times`);
    if (refunds.some((refund) => refund.amount !== amount))
      problems.push(`order ${number} was refunded another amount`);
  }
  const kept = charges.filter(({ refunds }) => refunds.length === 0).length;
  const shipped = shipment === 'CREATED' || shipment === 'READY' || shipment === 'HANDED_OVER';
  if (kept > 0 && !shipped) problems.push(`order ${number} is paid, and neither shipped nor refunded`);
  if (shipped && kept === 0) problems.push(`order ${number} is shipped, and not paid`);
  if (shipped !== (status === 'CONFIRMED'))
    problems.push(`order ${number} is ${status}, and its shipment is ${shipment}`);
  return problems;
}

function oneMail(world: World, order: OrderFacts): Violation[] {
  const isOfSwitch = (subject: string) => subject.startsWith('We send you your order');
  return [
    ...oneMailOfTheEnd(world, { ...order, mails: order.mails.filter((subject) => !isOfSwitch(subject)) }),
    ...oneMailOfTheSwitch(world, { ...order, mails: order.mails.filter(isOfSwitch) }),
  ];
}

/** Whose order is sent instead of picked up hears of it, and who has it as it was meant does not. */
function oneMailOfTheSwitch({ mail }: World, { script: { number }, events, mails }: OrderFacts): Violation[] {
  const expected = events.includes('OrderSwitchedToDelivery') ? 1 : 0;
  const allowed = expected === 0 ? 0 : 1 + mail.interruptionsOf(emailOf(number));
  if (mails.length >= expected && mails.length <= allowed) return [];
  return [`the customer of order ${number} was told ${mails.length} times that it is sent instead of picked up`];
}

function oneMailOfTheEnd({ mail }: World, { script: { number }, status, mails }: OrderFacts): Violation[] {
  if (status === 'PLACED') return [];
  const problems: Violation[] = [];
  if (mails.length === 0) problems.push(`the customer of order ${number} was never told that it is ${status}`);
  // A mail service has no idempotency key: who dies between the mail and its mark sends it once more.
  const allowed = 1 + mail.interruptionsOf(emailOf(number));
  if (mails.length > allowed) problems.push(`the customer of order ${number} got ${mails.length} mails instead of 1`);
  if (new Set(mails).size > 1)
    problems.push(`the customer of order ${number} was told different things: ${mails.join(' | ')}`);
  return problems;
}

function nobodyElsePays({ provider }: World, orders: readonly OrderFacts[]): Violation[] {
  const known = new Set(orders.flatMap(({ charges }) => charges));
  return provider.charges
    .filter((charge) => !known.has(charge))
    .map(({ token }) => `${token} was charged without an order`);
}

function stockIsConserved(world: World, orders: readonly OrderFacts[]): Violation[] {
  const items = itemsOf(world, 'millrace-inventory-dev');
  return Object.entries(world.plan.stock).flatMap(([sku, { available: initial }]) => {
    const item = items.find(({ pk, sk }) => text(pk) === `STOCK#${sku}` && text(sk) === 'STOCK') ?? {};
    const [available, reserved, shipped] = [number(item.available), number(item.reserved), number(item.shipped)];
    const sold = orders
      .filter(({ status }) => status === 'CONFIRMED')
      .flatMap(({ script }) => script.lines)
      .reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0);
    const problems: Violation[] = [];
    if (available + reserved + shipped !== initial) {
      problems.push(
        `of ${initial} ${sku} there are ${available} available, ${reserved} reserved and ${shipped} shipped`,
      );
    }
    if (available < 0) problems.push(`${sku} was oversold: ${available} are available`);
    if (reserved !== 0) problems.push(`${reserved} ${sku} are reserved for no order`);
    if (shipped !== sold) problems.push(`${shipped} ${sku} are shipped, and confirmed orders need ${sold}`);
    return problems;
  });
}

function everyEventIsEmitted({ store, bus, schedules }: World): Violation[] {
  const silent = [...store.storedEvents]
    .filter(([id]) => !bus.accepted.has(id))
    .map(([id, { detailType }]) => `${detailType} ${id} is stored, and was never emitted`);
  const untrue = bus.events
    .filter(({ id }) => !store.storedEvents.has(id) && !schedules.eventIds.has(id))
    .map(({ id, detailType }) => `${detailType} ${id} was emitted, and is not stored`);
  return [...silent, ...untrue];
}

/** Analytics have each event that may leave once, by the id of its variant, and nothing of a person. */
function variantsAreComplete({ bus }: World): Violation[] {
  const variantOf = new Map(bus.variants.map(({ causationId, id }) => [causationId, id]));
  const expected = bus.events.filter(({ detailType }) => contracts.get(detailType)?.analytics);
  const missing = expected
    .filter(({ id }) => variantOf.get(id) === undefined)
    .map(({ id, detailType }) => `${detailType} ${id} has no variant on the analytics bus`);
  const wrong = bus.variants.flatMap(({ id, causationId, detailType, detail }) => [
    ...(bus.accepted.has(causationId) ? [] : [`${detailType} ${id} is the variant of an event that is not on the bus`]),
    ...(id === variantOf.get(causationId) ? [] : [`${detailType} ${causationId} has two variants`]),
    ...(/@example\.com|tok_|Mill Lane|"customer":\{(?!"id":"[0-9a-f]{32}"\})/.test(detail)
      ? [`${detailType} ${id} tells analytics of a person`]
      : []),
  ]);
  return [...missing, ...wrong];
}

function lineageIsComplete(world: World): Violation[] {
  const logged = new Set(itemsOf(world, 'millrace-event-log-dev').map(({ id }) => text(id)));
  const emitted = new Map(world.bus.events.map((event) => [event.id, event]));
  const problems: Violation[] = [];
  for (const { id, detailType, causationId } of emitted.values()) {
    if (!logged.has(id)) problems.push(`${detailType} ${id} is not in the event log`);
    if (causationId !== undefined && !emitted.has(causationId)) {
      problems.push(`${detailType} ${id} has a cause, ${causationId}, that nobody emitted`);
    }
  }
  for (const id of logged) if (!emitted.has(id)) problems.push(`the event log has ${id}, which nobody emitted`);
  return problems;
}

function projectionsAgree(world: World, orders: readonly OrderFacts[]): Violation[] {
  const rows = itemsOf(world, 'millrace-orders-dev-projections');
  const problems: Violation[] = [];
  for (const { orderId, status, script, events } of orders) {
    const row = rows.find(({ pk }) => text(pk) === `order-summary#1#ROW#${orderId}`);
    const isTaken = events.includes('OrderHandedOver');
    if ((text(map(row?.row).pickUp) === 'HANDED_OVER') !== isTaken)
      problems.push(
        `the summary of order ${script.number} does not say ${isTaken ? 'that' : 'the truth whether'} it was handed over`,
      );
    const projected = text(map(row?.row).status);
    if (projected !== status)
      problems.push(`the summary of order ${script.number} says ${projected || 'nothing'}, not ${status}`);
  }
  const sales = rows.filter(({ pk }) => text(pk).startsWith(`${dailySales.name}#1#ROW#`)).map(({ row }) => map(row));
  for (const [status, member] of [
    ['CONFIRMED', 'confirmed'],
    ['CANCELLED', 'cancelled'],
  ] as const) {
    const counted = sales.reduce((sum, row) => sum + number(row[member]), 0);
    const expected = orders.filter((order) => order.status === status).length;
    if (counted !== expected) problems.push(`daily sales count ${counted} ${member} orders instead of ${expected}`);
  }
  return problems;
}

function deadLettersAreAccountedFor({ queues, plan }: World): Violation[] {
  const problems: Violation[] = [];
  const malformed = queues.deadLetters.filter(({ message }) => message.body === MALFORMED).length;
  if (malformed < plan.malformed.length) problems.push('a message that is no event is in no dead-letter queue');
  for (const name of queues.lostLetters) problems.push(`a letter in ${name} was deleted before it was put back`);
  for (const { queue, message, by } of queues.deadLetters) {
    const hasReason = message.attributes.ErrorCode !== undefined;
    // SQS says nothing of its own: only a message whose attempts all ended in silence may come by it.
    if (!hasReason && (by === 'consumer' || message.unfinished === 0)) {
      problems.push(`a dead letter in ${queue} says no reason`);
    }
  }
  const isEvent = ({ body }: { body: string }) => body !== MALFORMED;
  for (const name of queues.deadLetterQueuesWith(isEvent)) {
    for (const { attributes } of queues.messagesOf(name).filter(isEvent)) {
      const reason = attributes.ErrorCode?.StringValue ?? 'no reason';
      problems.push(
        `a letter in ${name} dies whenever it is redriven: ${reason}: ${attributes.ErrorMessage?.StringValue}`,
      );
    }
  }
  return problems;
}

/** How often a provider that is down may be asked: what opens the circuit, and a probe in each interval. */
const CALLS_TO_OPEN = 20;

/** An outage of the provider kills no message and cancels no order, and is over one probe interval after its end. */
function outageCostsNothing({ plan, provider, queues }: World, orders: readonly OrderFacts[]): Violation[] {
  const { outage, settings } = plan;
  if (!outage) return [];
  const problems = orders
    .filter(({ status }) => status !== 'CONFIRMED')
    .map(({ script, status }) => `order ${script.number} is ${status} after an outage`);
  if (queues.deadLetters.length > 0) problems.push(`the outage made ${queues.deadLetters.length} dead letters`);
  const intervalMs = Number(settings.MILLRACE_CIRCUIT_OPEN_SECONDS) * 1000;
  const probes = (outage.to - outage.from) / intervalMs;
  const calls = provider.callsInOutage.length;
  if (calls > CALLS_TO_OPEN + probes) problems.push(`the provider was called ${calls} times while it was down`);
  // In the second interval after the outage as many orders are charged as are placed, and some that have waited.
  const [from, to] = [outage.to + intervalMs, outage.to + 2 * intervalMs];
  const isWithin = (ms: number) => ms >= from && ms < to;
  const placed = plan.orders.filter(({ at }) => isWithin(at)).length;
  const charged = provider.charges.filter(({ at }) => isWithin(at - provider.start)).length;
  if (charged < placed) problems.push(`${charged} orders were charged after the outage, while ${placed} were placed`);
  return problems;
}

function itemsOf({ engine }: World, table: string): Item[] {
  return [...(engine.table(table)?.items.scan() ?? [])].map(({ item }) => item);
}

function text(value: AttributeValue | undefined): string {
  return value && 'S' in value ? value.S : '';
}

function number(value: AttributeValue | undefined): number {
  return value && 'N' in value ? Number(value.N) : 0;
}

function map(value: AttributeValue | undefined): Item {
  return value && 'M' in value ? value.M : {};
}
