import { consume } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import { eventLogFromEnvironment } from '../adapters/event-log.ts';
import { retentionFromEnvironment } from '../adapters/retention.ts';
import { loggedContracts } from '../domain/logged-contracts.ts';

const eventLog = eventLogFromEnvironment();
const retention = retentionFromEnvironment();

/** Writes down every event of the domain, once. */
export const handler = consume(
  loggedContracts,
  async (event, { inbox, logger }) => {
    const outcome = await eventLog.record(event, retention);
    if (outcome === 'known') throw new DuplicateEventError(inbox.consumer, inbox.eventId);
    if (outcome === 'expired') logger.info('Event not kept: its time in the log is over');
  },
  // The event written down is the mark.
  { deduplication: 'permanent' },
);
