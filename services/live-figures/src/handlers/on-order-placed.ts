import { consumeBatch } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import { OrderPlaced } from '@millrace/orders/events';
import { cohortsFromEnvironment } from '../adapters/cohorts.ts';

const cohorts = cohortsFromEnvironment();

/** Counts orders in the cohorts of their customers. The marks are with the customers, and outlive the deduplication window. */
export const handler = consumeBatch([OrderPlaced.analytics], async (records) => {
  const outcomes = await cohorts.record(records.map(({ event }) => event));
  return records.map(({ context }, index) => {
    const outcome = outcomes[index];
    if (outcome === 'known') return new DuplicateEventError(context.inbox.consumer, context.inbox.eventId);
    return outcome instanceof Error ? outcome : undefined;
  });
});
