import { consumeBatch } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import { minutesFromEnvironment } from '../adapters/minutes.ts';
import { measuredContracts } from '../domain/figures/index.ts';

const minutes = minutesFromEnvironment();

/** Counts events in their minutes. The marks are in the minutes, and outlive the deduplication window. */
export const handler = consumeBatch(measuredContracts, async (records) => {
  const outcomes = await minutes.record(records.map(({ event }) => event));
  return records.map(({ context }, index) => {
    const outcome = outcomes[index];
    if (outcome === 'known') return new DuplicateEventError(context.inbox.consumer, context.inbox.eventId);
    return outcome instanceof Error ? outcome : undefined;
  });
});
