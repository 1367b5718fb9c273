import { endpoint } from '@millrace/http';
import { slotsFromEnvironment } from '../adapters/slots.ts';
import { SlotRefusedError } from '../domain/slot-errors.ts';
import { slotPath } from './slot-path.ts';
import { slotProblem } from './slot-problem.ts';
import { slotView } from './slot-view.ts';

const slots = slotsFromEnvironment();

/** `GET /slots/{slotId}`: times and status, and to its holder the reservation. */
export const handler = endpoint({ path: slotPath }, async ({ caller, path: { slotId } }) => {
  try {
    return { status: 200, body: slotView(await slots.load(slotId), caller.subject, new Date()) };
  } catch (error) {
    if (error instanceof SlotRefusedError) throw slotProblem(error);
    throw error;
  }
});
