import { cursorOf, endpoint } from '@millrace/http';
import { eventLogFromEnvironment } from '../adapters/event-log.ts';
import { eventsQuery } from '../domain/events-query.ts';

const eventLog = eventLogFromEnvironment();

/** `GET /events`: what happened in some time, page by page. */
export const handler = endpoint({ query: eventsQuery }, async ({ query: { from, to, type, cursor } }) => {
  const { events, next } = await eventLog.between({ from, to, type, after: cursor });
  return { status: 200, body: { events, ...(next !== undefined && { cursor: cursorOf(next) }) } };
});
