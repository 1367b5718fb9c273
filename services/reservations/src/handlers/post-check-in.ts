import { endpoint } from '@millrace/http';
import { checkInCodeHash } from '../domain/check-in-code.ts';
import { checkInRequest } from '../domain/check-in-request.ts';
import { executeFor } from './slot-command.ts';
import { slotPath } from './slot-path.ts';
import { slotView } from './slot-view.ts';

/** `POST /slots/{slotId}/check-in`: the caller is there, with the code that the reservation returned; to check in twice is to check in once. */
export const handler = endpoint({ path: slotPath, body: checkInRequest }, async (request) => {
  const {
    caller: { subject: holder },
    path: { slotId },
    body: { code },
  } = request;
  const now = new Date();
  const codeHash = checkInCodeHash({ slotId, holder, code });
  const command = { type: 'CheckIn', holder, codeHash, now: now.toISOString() } as const;
  const { slot } = await executeFor(request, slotId, command);
  return { status: 200, body: slotView(slot, holder, now) };
});
