import { consume } from '@millrace/consumer';
import { ReservationTimeLimitReached } from '../../events/index.ts';
import { slotsFromEnvironment } from '../adapters/slots.ts';

const slots = slotsFromEnvironment();

/** Ends a reservation whose time is over. What the slot knows of its time limits counts, not what the event says. */
export const handler = consume([ReservationTimeLimitReached], async ({ data }, { cause, inbox }) => {
  const { slotId, deadline } = data;
  await slots.execute(slotId, { type: 'ReachTimeLimit', deadline, now: new Date().toISOString() }, cause, inbox);
});
