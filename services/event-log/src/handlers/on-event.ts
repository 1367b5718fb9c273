import { consumeBatch } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import { eventLogFromEnvironment } from '../adapters/event-log.ts';
import { retentionFromEnvironment } from '../adapters/retention.ts';
import { loggedContracts } from '../domain/logged-contracts.ts';

const eventLog = eventLogFromEnvironment();
const retention = retentionFromEnvironment();

/** Writes down every event of the domain, once. */
export const handler = consumeBatch(
  loggedContracts,
  async (records) => {
    const events = records.map(({ event }) => event);
    const outcomes = await eventLog.recordAll(events, retention);
    return records.map(({ context }, index) => {
      const outcome = outcomes[index];
      if (outcome === 'known') return new DuplicateEventError(context.inbox.consumer, context.inbox.eventId);
      // Not before it is needed: the logger of a record is made when it is first asked for.
      if (outcome === 'expired') context.logger.info('Event not kept: its time in the log is over');
      return outcome instanceof Error ? outcome : undefined;
    });
  },
  // The event written down is the mark.
  { deduplication: 'permanent' },
);
