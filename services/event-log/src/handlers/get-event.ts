import { endpoint, HttpError } from '@millrace/http';
import { eventLogFromEnvironment } from '../adapters/event-log.ts';
import { eventPath } from '../domain/log-path.ts';

const eventLog = eventLogFromEnvironment();

/** `GET /events/{eventId}`: an event as the log keeps it. */
export const handler = endpoint({ path: eventPath }, async ({ path: { eventId } }) => {
  const event = await eventLog.find(eventId);
  if (event) return { status: 200, body: event };
  const detail = 'The log has no such event, or no longer';
  throw new HttpError(404, 'EVENT_NOT_FOUND', detail, [{ field: 'eventId', detail }]);
});
