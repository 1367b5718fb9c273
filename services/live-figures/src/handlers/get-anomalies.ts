import { endpoint } from '@millrace/http';
import { minutesFromEnvironment } from '../adapters/minutes.ts';
import { rangeQuery } from '../domain/query.ts';
import { anomaliesOf, earlierStart } from '../domain/report.ts';

const minutes = minutesFromEnvironment();

/** `GET /analytics/anomalies`: minutes that differ from the same minutes of earlier hours. */
export const handler = endpoint({ query: rangeQuery }, async ({ query: { from, to } }) => ({
  status: 200,
  body: { anomalies: anomaliesOf(await minutes.between(earlierStart(from), to), from, to) },
}));
