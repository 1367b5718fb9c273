import { consumeStream } from '@millrace/consumer';
import { sessionsFromEnvironment } from '../adapters/sessions.ts';
import { view } from '../domain/view.ts';

const sessions = sessionsFromEnvironment();

/** Adds views to their sessions, and counts them. */
export const handler = consumeStream(view, (records) => sessions.record(records.map(({ data }) => data)));
