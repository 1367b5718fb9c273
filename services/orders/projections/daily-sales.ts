import { defineProjection, hash } from '@millrace/projections';
import { OrderCancelled, OrderConfirmed } from '../events/index.ts';

/** What one day brought in one currency; of the orders of one shard, as long as it is stored. */
export interface DailySales {
  /** The day, in UTC, on which orders were confirmed or cancelled: `2026-01-31`. */
  day: string;
  currency: string;
  confirmed: number;
  /** Of the confirmed orders, in minor units. */
  revenue: number;
  cancelled: number;
}

/**
 * Orders are spread over as many rows a day and currency, or all of them would wait for one row. A report reads as many
 * partitions. Another number needs a rebuild.
 */
const SHARDS = 8;

export const dailySalesPartitions = Array.from({ length: SHARDS }, (_, shard) => String(shard));

/** A partition for each shard, in the order of the days: `<day>#<currency>`. */
export const dailySales = defineProjection({
  name: 'daily-sales',
  events: [OrderConfirmed, OrderCancelled],
  late: 'apply',
  keyOf: ({ data, metadata }) => ({
    partition: String(hash(data.orderId) % SHARDS),
    sort: `${dayOf(metadata.timestamp)}#${data.total.currency}`,
  }),
  evolve: (row: DailySales | undefined, { detailType, data: { total }, metadata }): DailySales => {
    const { day, currency, confirmed, revenue, cancelled } = row ?? {
      day: dayOf(metadata.timestamp),
      currency: total.currency,
      ...nothingSold,
    };
    return detailType === 'OrderConfirmed.v1'
      ? { day, currency, confirmed: confirmed + 1, revenue: revenue + total.amount, cancelled }
      : { day, currency, confirmed, revenue, cancelled: cancelled + 1 };
  },
});

const nothingSold = { confirmed: 0, revenue: 0, cancelled: 0 };

/** Adds the shards up: one entry for each day and currency that has any, in the order of the days, then currencies. */
export function totalsOf(shards: readonly DailySales[]): DailySales[] {
  const totals = new Map<string, DailySales>();
  for (const { day, currency, confirmed, revenue, cancelled } of shards) {
    const key = `${day}#${currency}`;
    const sum = totals.get(key) ?? { day, currency, ...nothingSold };
    totals.set(key, {
      day,
      currency,
      confirmed: sum.confirmed + confirmed,
      revenue: sum.revenue + revenue,
      cancelled: sum.cancelled + cancelled,
    });
  }
  return [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}

function dayOf(timestamp: string): string {
  return timestamp.slice(0, 10);
}
