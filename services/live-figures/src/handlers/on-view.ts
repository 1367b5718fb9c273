import { consumeStream } from '@millrace/consumer';
import { view } from '@millrace/interactions/views';
import { sessionsFromEnvironment } from '../adapters/sessions.ts';

const sessions = sessionsFromEnvironment();

/** Adds views to their sessions, and counts them. */
export const handler = consumeStream(view, (records) => sessions.record(records.map(({ data }) => data)));
