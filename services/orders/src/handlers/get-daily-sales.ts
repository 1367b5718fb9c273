import { endpoint } from '@millrace/http';
import { dailySales, dailySalesPartitions, totalsOf } from '../../projections/daily-sales.ts';
import { projectionReaderFromEnvironment } from '../adapters/projections.ts';
import { dailySalesQuery } from '../domain/daily-sales-query.ts';

const reader = projectionReaderFromEnvironment();

/** `GET /reports/daily-sales`: what was sold and cancelled on each day, by currency. */
export const handler = endpoint({ query: dailySalesQuery }, async ({ query: { from, to } }) => {
  // Behind the day and # stands a currency, of letters: all of them come before ~.
  const between = [`${from}#`, `${to}#~`] as const;
  const shards = await Promise.all(
    dailySalesPartitions.map((partition) => reader.query(dailySales, partition, { between })),
  );
  return { status: 200, body: { from, to, days: totalsOf(shards.flat().map(({ row }) => row)) } };
});
