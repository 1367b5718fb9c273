import { endpoint } from '@millrace/http';
import { minutesFromEnvironment } from '../adapters/minutes.ts';
import { rangeQuery } from '../domain/query.ts';
import { funnelOf } from '../domain/report.ts';

const minutes = minutesFromEnvironment();

/** `GET /analytics/funnel`: how many orders came to which step. */
export const handler = endpoint({ query: rangeQuery }, async ({ query: { from, to } }) => ({
  status: 200,
  body: { steps: funnelOf(await minutes.between(from, to)) },
}));
