import type { Meter, UsageEntry } from '@millrace/local';

/** What can be counted. */
export type Counted = 'orders' | 'reservations' | 'views';

/** What a number of orders, reservations or views used. */
export interface Measurement {
  /** What was counted; orders unless it says otherwise. */
  what?: Counted;
  /** How many. */
  orders: number;
  /** Customers that ordered at the same time. */
  clients: number;
  stage: string;
  usage: readonly UsageEntry[];
  /** From the request of each order to its mail, or of each reservation or batch of views to its answer, in ms. */
  latenciesMs: readonly number[];
  /** What the orders left in tables, in bytes as DynamoDB bills them. */
  stored: readonly StoredBytes[];
}

export interface StoredBytes {
  table: string;
  /** Of items that stay. */
  kept: number;
  /** Of items that DynamoDB deletes when their time to live is over. */
  expiring: number;
}

/** The sum of one meter, of all resources or of one. */
export function totalOf({ usage }: Pick<Measurement, 'usage'>, meter: Meter, resource?: string): number {
  return usage
    .filter((entry) => entry.meter === meter && (resource === undefined || entry.resource === resource))
    .reduce((sum, { amount }) => sum + amount, 0);
}

/** The resource that has most of a meter, and how much; with no name and nothing when none has any. */
export function busiestOf({ usage }: Pick<Measurement, 'usage'>, meter: Meter): { resource: string; amount: number } {
  const amounts = new Map<string, number>();
  for (const entry of usage) {
    if (entry.meter === meter) amounts.set(entry.resource, (amounts.get(entry.resource) ?? 0) + entry.amount);
  }
  const [[resource, amount] = ['', 0]] = [...amounts].sort(([, one], [, other]) => other - one);
  return { resource, amount };
}

/**
 * The same orders with functions that take another time.
 *
 * @param ms billed for each invocation
 */
export function withLambdaDuration(measurement: Measurement, ms: number): Measurement {
  const invocations = (name: string): number => totalOf(measurement, 'lambda.invocations', name);
  const usage = measurement.usage.map((entry) => {
    if (entry.meter === 'lambda.milliseconds') return { ...entry, amount: invocations(entry.resource) * ms };
    if (entry.meter !== 'lambda.gigabyteSeconds') return entry;
    const measuredMs = totalOf(measurement, 'lambda.milliseconds', entry.resource);
    return { ...entry, amount: (entry.amount / measuredMs) * invocations(entry.resource) * ms };
  });
  return { ...measurement, usage };
}
