import { endpoint } from '@millrace/http';
import { dailySales, dailySalesPartitions, totalsOf } from '../../projections/daily-sales.ts';
import { projectionReaderFromEnvironment } from '../adapters/projections.ts';
import { dailySalesQuery } from '../domain/daily-sales-query.ts';

/** Of `2026-01-31`. */
const DAY_LENGTH = 10;

const reader = projectionReaderFromEnvironment();

/**
 * `GET /reports/daily-sales`: what was sold and cancelled on each day, by currency. A report of more rows than may be read at
 * once ends early, before a day that would not be whole, and says from which day on the next one goes on: `nextFrom`.
 */
export const handler = endpoint({ query: dailySalesQuery }, async ({ query: { from, to } }) => {
  // Behind the day and # stands a currency, of letters: all of them come before ~.
  const between = [`${from}#`, `${to}#~`] as const;
  const shards = await Promise.all(
    dailySalesPartitions.map((partition) => reader.query(dailySales, partition, { between })),
  );
  // A shard reads 1,000 rows. A day has one for each currency, of which there are fewer: the first day is always whole.
  const [nextFrom] = shards.flatMap(({ next }) => next?.slice(0, DAY_LENGTH) ?? []).toSorted();
  const rows = shards.flatMap((shard) => shard.rows).map(({ row }) => row);
  const days = totalsOf(nextFrom === undefined ? rows : rows.filter(({ day }) => day < nextFrom));
  return { status: 200, body: { from, to, days, ...(nextFrom !== undefined && { nextFrom }) } };
});
