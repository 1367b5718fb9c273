import { endpoint, HttpError } from '@millrace/http';
import { findLineage } from '@millrace/lineage';
import { eventLogFromEnvironment } from '../adapters/event-log.ts';
import { lineagePath } from '../domain/log-path.ts';

const eventLog = eventLogFromEnvironment();

/** `GET /lineage/{id}`: what an API call led to, by an event, its subject or its correlation. */
export const handler = endpoint({ path: lineagePath }, async ({ path: { id } }) => {
  const lineage = await findLineage(eventLog, id);
  if (lineage) return { status: 200, body: lineage };
  const detail = 'The log has no event with this id, subject or correlation, or no longer';
  throw new HttpError(404, 'LINEAGE_NOT_FOUND', detail, [{ field: 'id', detail }]);
});
