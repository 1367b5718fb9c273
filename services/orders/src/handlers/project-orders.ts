import { consume } from '@millrace/consumer';
import { DuplicateEventError } from '@millrace/errors';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '../../events/index.ts';
import { projectorFromEnvironment } from '../adapters/projections.ts';

const projector = projectorFromEnvironment();

/** Keeps the read models up to date. What is in them says which events they have had, for ever: a replay adds what is missing. */
export const handler = consume(
  [OrderPlaced, OrderConfirmed, OrderCancelled],
  async (event, { inbox }) => {
    if (!(await projector.handle(event))) throw new DuplicateEventError(inbox.consumer, inbox.eventId);
  },
  { deduplication: 'permanent' },
);
