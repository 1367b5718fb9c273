import { type Column, formatTable } from '@millrace/command-line';
import { sumOf } from './bill.ts';
import type { CountedProcess } from './order-mix.ts';
import type { CostReport } from './report.ts';

/** What the same orders took by one process. */
export interface ComparedProcess {
  process: CountedProcess;
  report: CostReport;
}

/** One figure of each process. */
interface Row {
  title: string;
  of: (report: CostReport) => string;
}

/** Mails and SMS: the same for every process, and more than everything else together. */
const MESSENGERS = new Set(['Amazon SES', 'Amazon SNS']);

const counted =
  (meter: string) =>
  ({ counted: counts }: CostReport) =>
    figure(counts[meter] ?? 0);

const rows: readonly Row[] = [
  { title: 'From the request to the mail, p50', of: ({ latencyMs }) => `${Math.round(latencyMs.p50)} ms` },
  { title: 'From the request to the mail, p95', of: ({ latencyMs }) => `${Math.round(latencyMs.p95)} ms` },
  { title: 'Requests to the HTTP API', of: counted('httpApi.requests') },
  { title: 'Invocations of functions', of: counted('lambda.invocations') },
  { title: 'Events put on the bus', of: counted('events.published') },
  { title: 'Deliveries of events to queues', of: counted('events.delivered') },
  { title: 'Requests to SQS', of: counted('sqs.requests') },
  { title: 'Requests to DynamoDB', of: counted('dynamodb.requests') },
  { title: 'State transitions', of: counted('states.transitions') },
  { title: 'Durable operations', of: counted('lambda.durableOperations') },
  { title: 'A million orders, without mails and SMS', of: ({ aMillionOrders }) => dollars(aMillionOrders) },
  { title: 'of that Lambda', of: byProduct('AWS Lambda') },
  { title: 'of that DynamoDB', of: byProduct('Amazon DynamoDB') },
  { title: 'of that Step Functions', of: byProduct('AWS Step Functions') },
  { title: 'of that SQS', of: byProduct('Amazon SQS') },
  { title: 'of that EventBridge', of: byProduct('Amazon EventBridge') },
  { title: 'Keeping a million orders for a month', of: ({ storage }) => dollars(storage) },
];

/**
 * The figures of one order by each process, for a terminal.
 * @example console.log(formatComparison([{ process: 'choreography', report }, { process: 'state-machine', report: other }]));
 */
export function formatComparison(compared: readonly ComparedProcess[]): string {
  const columns: Column[] = [
    { title: 'ONE ORDER' },
    ...compared.map(({ process }) => ({ title: process.toUpperCase(), align: 'right' as const })),
  ];
  return `${conditions(compared)}\n\n${formatTable(columns, cellsOf(compared))}`;
}

/** The same as a table of Markdown. */
export function comparisonTable(compared: readonly ComparedProcess[]): string {
  const titles = ['One order', ...compared.map(({ process }) => process)];
  const lines = [titles, ['---', ...compared.map(() => '---:')], ...cellsOf(compared)];
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), '', conditions(compared)].join('\n');
}

function cellsOf(compared: readonly ComparedProcess[]): string[][] {
  return rows.map(({ title, of }) => [title, ...compared.map(({ report }) => of(report))]);
}

function conditions([first]: readonly ComparedProcess[]): string {
  if (!first) return '';
  const { orders, clients, stage, mix, pricesOf, region } = first.report;
  return (
    `Counted over ${orders} orders by each process, ${clients === 1 ? 'one at a time' : `${clients} at a time`}, in stage ${stage}: ${mix}. ` +
    `List prices of ${region}, ${pricesOf}. Latencies are those of the local runtime on this machine, not of AWS.`
  );
}

function byProduct(product: string): Row['of'] {
  return ({ aMillionOrders }) => dollars(aMillionOrders.filter((line) => line.product === product));
}

function dollars(lines: CostReport['aMillionOrders']): string {
  return `$${sumOf(lines.filter(({ product }) => !MESSENGERS.has(product))).toFixed(2)}`;
}

function figure(amount: number): string {
  return amount === 0 ? '–' : String(Number(amount.toPrecision(3)));
}
