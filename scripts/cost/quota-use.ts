import { readFileSync } from 'node:fs';
import type { Meter } from '@millrace/local';
import { backoffBound } from '@millrace/retry';
import { busiestOf, type Measurement, totalOf } from './measurement.ts';
import { shortNameOf } from './service-names.ts';
import type { Consumer, Inventory } from './template-inventory.ts';

/** A default quota of an AWS account. */
export interface Quota {
  name: string;
  /** What is limited, and what is assumed. */
  what: string;
  value: number;
  unit: string;
  adjustable: boolean;
  source: string;
  /** False when the value could not be read in AWS's documentation. */
  verified: boolean;
}

export interface QuotaTable {
  region: string;
  checked: string;
  quotas: Readonly<Record<string, Quota>>;
}

/** A quota, or a limit that the templates set, and how much of it an order takes. */
export interface QuotaUse {
  name: string;
  what: string;
  value: number;
  unit: string;
  /** What an order a second takes of it. */
  perOrder: number;
  /** Orders per second at which it is met; infinity, in JSON null, where orders take nothing of it. */
  metAt: number;
}

/** Partitions, and so shards of its stream, that a new on-demand table has: 4,000 write units per second at 1,000 each. */
export const SHARDS_OF_A_NEW_TABLE = 4;

/** Upper bound of the first delay before a retry, as the consumer has it; it doubles with each attempt. */
const FIRST_RETRY_DELAY = 2;

/** Reads quotas.json. */
export function readQuotaTable(): QuotaTable {
  return JSON.parse(readFileSync(new URL('./quotas.json', import.meta.url), 'utf8')) as QuotaTable;
}

/** The quotas of the account, the one that is met first in front. */
export function quotaUses(
  measurement: Measurement,
  { quotas }: QuotaTable,
  inventory: Pick<Inventory, 'consumers' | 'approvalSeconds'>,
): QuotaUse[] {
  const { orders, clients, stage } = measurement;
  const each = (meter: Meter): number => totalOf(measurement, meter) / orders;
  const busiest = (meter: Meter): number => busiestOf(measurement, meter).amount / orders;
  // Of an order in an execution; the customers of the run look at GET /orders/{orderId}.
  const looks = ['checkout-getCheckout', 'orders-getOrder']
    .map((name) => totalOf(measurement, 'httpApi.requests', `millrace-${name.replace('-', `-${stage}-`)}`) / orders)
    .reduce((sum, requests) => sum + requests, 0);
  const looksAtExecutions = each('states.executions') * looks;
  const perOrder: Record<string, number> = {
    'httpApi.requestRate': each('httpApi.requests'),
    'lambda.concurrency': each('lambda.milliseconds') / 1000,
    'events.putEventsRate': each('events.published'),
    'events.invocationRate': each('events.delivered'),
    'dynamodb.tableWriteRate': busiest('dynamodb.writeUnits'),
    'dynamodb.tableReadRate': busiest('dynamodb.readUnits'),
    'dynamodb.newTableWriteRate': busiest('dynamodb.writeUnits'),
    // Every customer of the run ordered the same SKU each time, and shared neither it nor a list of orders with another.
    'dynamodb.partitionWriteRate': busiest('dynamodb.keyWriteUnits') * clients,
    'sqs.inFlight': Math.max(0, ...inventory.consumers.map((consumer) => waitingSeconds(measurement, consumer))),
    'ses.sandboxRate': each('ses.recipients'),
    'firehose.requestRate': busiest('firehose.requests'),
    'kinesis.recordRate': each('kinesis.payloadUnits'),
    'scheduler.createScheduleRate': each('scheduler.created'),
    'states.transitionRate': each('states.transitions'),
    'states.startExecutionRate': each('states.executions'),
    'states.describeExecutionRate': looksAtExecutions,
    'states.historyRate': looksAtExecutions,
    'states.answerRate': each('states.executions'),
    'states.openExecutions': each('states.executions') * inventory.approvalSeconds,
    'logs.putLogEventsRate': each('lambda.invocations'),
  };
  return inOrder(
    Object.entries(quotas).map(([id, { name, what, value, unit }]) => {
      const share = perOrder[id];
      if (share === undefined) throw new Error(`quotas.json has "${id}", which nothing counts`);
      return use({ name, what, value, unit }, share);
    }),
  );
}

/** The limits that the templates set: batches of a queue at once, batches of a stream at once. The lowest in front. */
export function templateLimits(
  measurement: Measurement,
  { consumers, relays }: Pick<Inventory, 'consumers' | 'relays'>,
): QuotaUse[] {
  const { orders, stage } = measurement;
  const seconds = (name: string): number => totalOf(measurement, 'lambda.milliseconds', name) / 1000 / orders;
  return inOrder([
    ...consumers
      .filter(({ maximumConcurrency }) => maximumConcurrency !== undefined)
      .map(({ functionName, maximumConcurrency = 0 }) =>
        use(
          {
            name: shortNameOf(functionName, stage),
            what: 'maximumConcurrency',
            value: maximumConcurrency,
            unit: 'batches at once',
          },
          seconds(functionName),
        ),
      ),
    ...relays.map(({ functionName, batchesPerShard }) =>
      use(
        {
          name: shortNameOf(functionName, stage),
          what: `one batch for each of ${SHARDS_OF_A_NEW_TABLE} shards, times parallelizationFactor`,
          value: SHARDS_OF_A_NEW_TABLE * batchesPerShard,
          unit: 'batches at once',
        },
        seconds(functionName),
      ),
    ),
  ]).filter(({ perOrder }) => perOrder > 0);
}

/** How much of a limit a rate of orders takes: 1 is all of it. */
export function loadAt({ value, perOrder }: Pick<QuotaUse, 'value' | 'perOrder'>, ordersPerSecond: number): number {
  return (perOrder * ordersPerSecond) / value;
}

/** Seconds that the messages of one order are in flight in a queue when all of their attempts fail. */
function waitingSeconds(
  { usage, orders }: Measurement,
  { queueName, maxReceiveCount, maxRetryDelay }: Consumer,
): number {
  const sent = usage
    .filter(({ meter, resource, operation }) => {
      return meter === 'sqs.requests' && resource === queueName && operation === 'SendMessage';
    })
    .reduce((sum, { amount }) => sum + amount, 0);
  let delay = 0;
  for (let attempt = 1; attempt < maxReceiveCount; attempt += 1) {
    delay += backoffBound(attempt, { firstBound: FIRST_RETRY_DELAY, longestBound: maxRetryDelay });
  }
  return (sent / orders) * delay;
}

function use(limit: Omit<QuotaUse, 'perOrder' | 'metAt'>, perOrder: number): QuotaUse {
  return { ...limit, perOrder, metAt: perOrder === 0 ? Number.POSITIVE_INFINITY : limit.value / perOrder };
}

function inOrder(uses: QuotaUse[]): QuotaUse[] {
  return uses.sort((one, other) => one.metAt - other.metAt);
}
