import { endpoint } from '@millrace/http';
import { sessionsFromEnvironment } from '../adapters/sessions.ts';
import { minutesQuery } from '../domain/minutes-query.ts';

const sessions = sessionsFromEnvironment();

/** `GET /interactions/minutes`: views and sessions, minute by minute. */
export const handler = endpoint({ query: minutesQuery }, async ({ query: { from, to } }) => ({
  status: 200,
  body: { minutes: await sessions.minutes(from, to) },
}));
