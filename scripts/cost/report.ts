import { formatTable } from '@millrace/command-line';
import {
  type BillLine,
  billForAMillionOrders,
  fixedBill,
  sensitivityToDuration,
  storageOfAMillionOrders,
  sumOf,
  sumsBy,
} from './bill.ts';
import { type Counted, type Measurement, totalOf } from './measurement.ts';
import { MIX } from './order-mix.ts';
import type { PriceTable } from './price-table.ts';
import { loadAt, type QuotaTable, type QuotaUse, quotaUses, templateLimits } from './quota-use.ts';
import { RESERVATION_MIX } from './reservation-mix.ts';
import type { Inventory } from './template-inventory.ts';
import { VIEW_MIX } from './view-mix.ts';

/** What says nothing about one order: other ones are in it as well. */
const NOT_OF_ONE: readonly string[] = ['dynamodb.keyWriteUnits', 'cloudwatch.metrics'];

const MIXES: Readonly<Record<Counted, string>> = { orders: MIX, reservations: RESERVATION_MIX, views: VIEW_MIX };

/** Orders per second that quotas are looked at for. */
export const RATES = [10, 100, 1_000, 10_000] as const;

/** Everything that the command tells, for people and as JSON. */
export interface CostReport {
  /** What was counted. */
  what: Counted;
  mix: string;
  orders: number;
  clients: number;
  stage: string;
  region: string;
  pricesOf: string;
  /** From the request of an order to its mail, or of a reservation or a batch of views to its answer. */
  latencyMs: { p50: number; p95: number };
  /** Of one order. */
  counted: Record<string, number>;
  aMillionOrders: BillLine[];
  storage: BillLine[];
  /** Bytes that an order leaves in tables: for good, and until their time to live is over. */
  stored: { kept: number; expiring: number };
  fixed: BillLine[];
  /** Dollars that 10 ms more for every invocation add to a million orders. */
  tenMillisecondsMore: number;
  /** Of the account. */
  quotas: QuotaUse[];
  /** Of the templates. */
  limits: QuotaUse[];
  /** Prices and quotas that could not be verified. */
  unverified: string[];
  usage: Measurement['usage'];
}

/** Turns what was counted into dollars and quotas. */
export function makeReport(
  measurement: Measurement,
  prices: PriceTable,
  quotas: QuotaTable,
  inventory: Inventory,
  services: readonly string[],
): CostReport {
  const { what = 'orders', orders, clients, stage, usage, latenciesMs, stored } = measurement;
  const unverified = [
    ...Object.values(prices.prices)
      .filter(({ verified }) => !verified)
      .map(({ product, what, price }) => `${product}, ${what}${price === null ? ': no price, not in the sums' : ''}`),
    ...Object.values(quotas.quotas)
      .filter(({ verified }) => !verified)
      .map(({ name }) => name),
  ];
  const meters = [...new Set(usage.map(({ meter }) => meter))].filter((meter) => !NOT_OF_ONE.includes(meter));
  return {
    what,
    mix: MIXES[what],
    orders,
    clients,
    stage,
    region: prices.region,
    pricesOf: prices.checked,
    latencyMs: { p50: percentile(latenciesMs, 50), p95: percentile(latenciesMs, 95) },
    counted: Object.fromEntries(meters.map((meter) => [meter, totalOf(measurement, meter) / orders])),
    aMillionOrders: billForAMillionOrders(measurement, prices, services, inventory),
    storage: storageOfAMillionOrders(measurement, prices, services, inventory),
    stored: {
      kept: stored.reduce((sum, { kept }) => sum + kept, 0) / orders,
      expiring: stored.reduce((sum, { expiring }) => sum + expiring, 0) / orders,
    },
    fixed: fixedBill(measurement, prices, inventory),
    tenMillisecondsMore: sensitivityToDuration(measurement, prices),
    quotas: quotaUses(measurement, quotas, inventory),
    limits: templateLimits(measurement, inventory),
    unverified,
    usage,
  };
}

/** The smallest latency that so many in a hundred do not exceed. */
function percentile(latenciesMs: readonly number[], percent: number): number {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}

/** The report for a terminal. */
export function formatReport(report: CostReport): string {
  const { what, orders, clients, stage, region, pricesOf, counted, aMillionOrders, storage, fixed, quotas, limits } =
    report;
  const one = what.slice(0, -1);
  const [ONE, MANY] = [one.toUpperCase(), what.toUpperCase()];
  const invocations = counted['lambda.invocations'] ?? 0;
  const averageMs = (counted['lambda.milliseconds'] ?? 0) / invocations;
  return `Counted over ${orders} ${what}, ${clients === 1 ? 'one at a time' : `${clients} at a time`}, in stage ${stage}: ${report.mix}.
List prices of ${region}, ${pricesOf}, first tier, no free tier.

ONE ${ONE}

${formatCounted(counted, one)}

From the request to the ${what === 'orders' ? 'mail' : 'answer'} on this machine: p50 ${Math.round(report.latencyMs.p50)} ms, p95 ${Math.round(report.latencyMs.p95)} ms.

A MILLION ${MANY}, BY AWS PRODUCT AND MILLRACE SERVICE

${formatMatrix(aMillionOrders)}

A MILLION ${MANY}, ITEM BY ITEM

${formatBill(aMillionOrders)}

Functions took ${averageMs.toFixed(1)} ms on average on this machine, which is not AWS: every 10 ms more for each of the
${invocations.toFixed(1)} invocations add ${dollars(report.tenMillisecondsMore)}. --lambda-ms <ms> counts with a figure of your own.

KEEPING A MILLION ${MANY}, A MONTH

${formatBill(storage)}

Of each ${one} ${number(report.stored.kept)} bytes stay in tables until you delete them, and ${number(report.stored.expiring)} until their time to live is over.

WITHOUT ANY ${ONE}, A MONTH

${formatBill(fixed)}

QUOTAS OF THE ACCOUNT, AND THE ${MANY} PER SECOND THAT MEET THEM

${formatUses(quotas, one)}

${quotas.map(({ name, what }) => `${name}: ${what}`).join('\n')}

Met at
${RATES.map((rate) => metAtRate(quotas, rate, what)).join('\n')}

LIMITS OF THE TEMPLATES, WITH THE BATCHES OF THIS RUN (a full batch takes less time for each of its messages)

${formatUses(limits, one)}

Met at
${RATES.map((rate) => metAtRate(limits, rate, what)).join('\n')}

Not verified: ${report.unverified.join('; ')}.
Objects of Firehose are those of a month in which the million is spread evenly.
Not counted: KMS requests of encrypted tables, the time of Firehose's jq, queries of Athena, alarm mails, traffic between regions, support.`;
}

function formatCounted(counted: Record<string, number>, one: string): string {
  const rows = Object.entries(counted).map(([meter, amount]) => [meter, number(amount)]);
  return formatTable([{ title: 'COUNTED' }, { title: anOf(one).toUpperCase(), align: 'right' }], rows);
}

function formatBill(lines: readonly BillLine[]): string {
  const byThing = new Map<string, BillLine>();
  for (const line of lines) {
    const key = `${line.product} ${line.what}`;
    const sum = byThing.get(key) ?? { ...line, amount: 0, dollars: 0 };
    sum.amount += line.amount;
    sum.dollars = line.dollars === undefined ? undefined : (sum.dollars ?? 0) + line.dollars;
    byThing.set(key, sum);
  }
  const rows = [...byThing.values()]
    .sort((one, other) => (other.dollars ?? 0) - (one.dollars ?? 0))
    .map(({ product, what, amount, unit, dollars: sum }) => [
      product,
      what,
      number(amount),
      unit,
      sum === undefined ? 'no price' : dollars(sum),
    ]);
  return formatTable(
    [
      { title: 'PRODUCT' },
      { title: 'WHAT' },
      { title: 'AMOUNT', align: 'right' },
      { title: 'UNIT' },
      { title: 'DOLLARS', align: 'right' },
    ],
    [...rows, ['', 'together', '', '', dollars(sumOf(lines))]],
  );
}

function formatMatrix(lines: readonly BillLine[]): string {
  const priced = lines.filter((line) => line.dollars !== undefined);
  const services = sumsBy(priced, 'service');
  const products = sumsBy(priced, 'product');
  const cell = (product: string, service: string): string => {
    const own = priced.filter((line) => line.product === product && line.service === service);
    return own.length === 0 ? '–' : dollars(sumOf(own));
  };
  const rows = [...products].map(([product, sum]) => [
    product,
    ...[...services.keys()].map((service) => cell(product, service)),
    dollars(sum),
  ]);
  return formatTable(
    [
      { title: 'PRODUCT' },
      ...[...services.keys(), 'together'].map((title) => ({ title: title.toUpperCase(), align: 'right' as const })),
    ],
    [...rows, ['together', ...[...services.values()].map(dollars), dollars(sumOf(priced))]],
  );
}

function formatUses(uses: readonly QuotaUse[], one: string): string {
  return formatTable(
    [
      { title: 'LIMIT' },
      { title: 'VALUE', align: 'right' },
      { title: 'UNIT' },
      { title: `${anOf(one)}/s`.toUpperCase(), align: 'right' },
      { title: `met at ${one}s/s`.toUpperCase(), align: 'right' },
      ...RATES.map((rate) => ({ title: `AT ${rate.toLocaleString('en-US')}`, align: 'right' as const })),
    ],
    uses.map((use) => [
      use.name,
      use.value.toLocaleString('en-US'),
      use.unit,
      number(use.perOrder),
      Number.isFinite(use.metAt) ? number(use.metAt) : 'never',
      ...RATES.map((rate) => percent(loadAt(use, rate))),
    ]),
  );
}

/** What is met at a rate, the first in front, and what comes next. */
function metAtRate(uses: readonly QuotaUse[], rate: number, what: CostReport['what']): string {
  const describe = ({ name, metAt }: QuotaUse): string => `${name} (${number(metAt)})`;
  const met = uses.filter(({ metAt }) => metAt <= rate).map(describe);
  const next = uses.find(({ metAt }) => metAt > rate && Number.isFinite(metAt));
  return `${rate.toLocaleString('en-US')} ${what}/s: ${met.join(', ') || 'none'}${next ? `; next ${describe(next)}` : ''}`;
}

function anOf(one: string): string {
  return one === 'order' ? 'an order' : `a ${one}`;
}

function percent(share: number): string {
  if (share > 10) return '> 1,000 %';
  return share < 0.001
    ? '0 %'
    : `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100).toLocaleString('en-US')} %`;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** Three significant digits, or all of those before the point. */
function number(amount: number): string {
  if (amount >= 1_000) return Math.round(amount).toLocaleString('en-US');
  return String(Number(amount.toPrecision(3)));
}
