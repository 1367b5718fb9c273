import { endpoint, HttpError } from '@millrace/http';
import * as z from 'zod';
import { sessionsFromEnvironment } from '../adapters/sessions.ts';
import { describeSession } from '../domain/session.ts';

const sessions = sessionsFromEnvironment();
const path = z.strictObject({ sessionId: z.uuid('expected a UUID') });

/** `GET /analytics/sessions/{sessionId}`: what a visitor looked at. */
export const handler = endpoint({ path }, async ({ path: { sessionId } }) => {
  const session = await sessions.find(sessionId);
  if (session) return { status: 200, body: { sessionId, ...describeSession(session) } };
  const detail = 'The session does not exist, or is no longer kept';
  throw new HttpError(404, 'SESSION_NOT_FOUND', detail, [{ field: 'sessionId', detail }]);
});
