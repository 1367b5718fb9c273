import { consumeBatch } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import {
  SlotAssigned,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
} from '@millrace/reservations/events';
import { projectorFromEnvironment } from '../adapters/projections.ts';

const contracts = [
  SlotCreated,
  SlotReserved,
  SlotAssigned,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotCancelled,
  SlotUnattended,
  SlotClosed,
  SlotReopened,
] as const;

const projector = projectorFromEnvironment();

/** Keeps the display up to date. What is in it says which events it has had, for ever: a replay adds what is missing. */
export const handler = consumeBatch(
  contracts,
  async (records) => {
    const results = await projector.handleAll(records.map(({ event }) => event));
    return results.map((result, index) => {
      if (result.status === 'rejected') return result.reason;
      const { consumer, eventId } = records[index]?.context.inbox ?? { consumer: '', eventId: '' };
      return result.value ? undefined : new DuplicateEventError(consumer, eventId);
    });
  },
  { deduplication: 'permanent' },
);
