import { consumeBatch } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../../events/index.ts';
import { projectorFromEnvironment } from '../adapters/projections.ts';

const projector = projectorFromEnvironment();

/** Keeps the read models up to date. What is in them says which events they have had, for ever: a replay adds what is missing. */
export const handler = consumeBatch(
  [OrderPlaced, OrderConfirmed, OrderCancelled, OrderHandedOver, OrderSwitchedToDelivery],
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
