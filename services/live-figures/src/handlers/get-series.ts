import { endpoint } from '@millrace/http';
import { minutesFromEnvironment } from '../adapters/minutes.ts';
import { seriesQuery } from '../domain/query.ts';
import { seriesOf } from '../domain/report.ts';

const minutes = minutesFromEnvironment();

/** `GET /analytics/series`: the figures of a dimension, minute by minute. */
export const handler = endpoint({ query: seriesQuery }, async ({ query: { from, to, of } }) => ({
  status: 200,
  body: { minutes: seriesOf(await minutes.between(from, to), of) },
}));
