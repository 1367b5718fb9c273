import { endpoint } from '@millrace/http';
import { executeFor } from './slot-command.ts';
import { slotPath } from './slot-path.ts';
import { slotView } from './slot-view.ts';

/** `POST /slots/{slotId}/closure`: for staff. A reservation is cancelled; a slot whose holder is there stays open. */
export const handler = endpoint({ path: slotPath }, async (request) => {
  const {
    caller,
    path: { slotId },
  } = request;
  const now = new Date();
  const command = { type: 'CloseSlot', now: now.toISOString() } as const;
  const { slot } = await executeFor(request, slotId, command);
  return { status: 200, body: slotView(slot, caller.subject, now) };
});
