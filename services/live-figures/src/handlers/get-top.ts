import { endpoint } from '@millrace/http';
import { minutesFromEnvironment } from '../adapters/minutes.ts';
import { topQuery } from '../domain/query.ts';
import { topOf } from '../domain/report.ts';

const minutes = minutesFromEnvironment();

/** `GET /analytics/top`: the SKUs of which most pieces were ordered. */
export const handler = endpoint({ query: topQuery }, async ({ query: { from, to, limit } }) => ({
  status: 200,
  body: { skus: topOf(await minutes.between(from, to), limit) },
}));
