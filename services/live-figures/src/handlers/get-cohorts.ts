import { endpoint } from '@millrace/http';
import { cohortsFromEnvironment } from '../adapters/cohorts.ts';
import { cohortsOf } from '../domain/cohorts.ts';
import { cohortsQuery } from '../domain/query.ts';

const cohorts = cohortsFromEnvironment();

/** `GET /analytics/cohorts`: customers by the period of their first order, and whether they ordered again. */
export const handler = endpoint({ query: cohortsQuery }, async ({ query: { from, to, by } }) => ({
  status: 200,
  body: { cohorts: cohortsOf(await cohorts.between(from, to), by) },
}));
