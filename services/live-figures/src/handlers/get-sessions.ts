import { cursorOf, endpoint } from '@millrace/http';
import { sessionsFromEnvironment } from '../adapters/sessions.ts';
import { sessionsQuery } from '../domain/query.ts';
import { summarizeSession } from '../domain/session.ts';

const sessions = sessionsFromEnvironment();

/** `GET /analytics/sessions`: the visits that began in some time, page by page. */
export const handler = endpoint({ query: sessionsQuery }, async ({ query: { from, to, cursor, limit } }) => {
  const page = await sessions.between({ from, to, after: cursor, limit });
  return {
    status: 200,
    body: {
      sessions: page.sessions.map(({ sessionId, session }) => ({ sessionId, ...summarizeSession(session) })),
      ...(page.next !== undefined && { cursor: cursorOf(page.next) }),
    },
  };
});
