import { endpoint } from '@millrace/http';
import { executeFor } from './slot-command.ts';
import { slotPath } from './slot-path.ts';
import { slotView } from './slot-view.ts';

/** `DELETE /slots/{slotId}/reservation`: a reservation of the caller's, until check-in; to cancel twice is to cancel once. */
export const handler = endpoint({ path: slotPath }, async (request) => {
  const {
    caller,
    path: { slotId },
  } = request;
  const now = new Date();
  const command = { type: 'CancelReservation', holder: caller.subject, now: now.toISOString() } as const;
  const { slot } = await executeFor(request, slotId, command);
  return { status: 200, body: slotView(slot, caller.subject, now) };
});
