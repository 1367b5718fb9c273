import { HttpError } from '@millrace/http';
import type { SlotRefusal, SlotRefusedError } from '../domain/slot-errors.ts';

/** How a refusal is answered, and which field of the request it is about. */
const answers: Readonly<Record<SlotRefusal, { status: number; field: string }>> = {
  SLOT_NOT_FOUND: { status: 404, field: 'slotId' },
  SLOT_TAKEN: { status: 409, field: 'slotId' },
  SLOT_CLOSED: { status: 409, field: 'slotId' },
  SLOT_ENDED: { status: 409, field: 'slotId' },
  SLOT_CHECKED_IN: { status: 409, field: 'slotId' },
  RESERVATION_NOT_FOUND: { status: 404, field: 'slotId' },
  RESERVATION_UNATTENDED: { status: 409, field: 'slotId' },
  CHECK_IN_TOO_EARLY: { status: 409, field: 'slotId' },
  WRONG_CHECK_IN_CODE: { status: 403, field: '/code' },
  SLOT_HAS_ORDER: { status: 409, field: 'slotId' },
  NOT_CHECKED_IN: { status: 409, field: 'slotId' },
};

/**
 * The problem document of a refusal.
 * @param members further members, e.g. `alternatives`
 * @example throw slotProblem(new SlotRefusedError('SLOT_NOT_FOUND'));
 */
export function slotProblem({ code, message }: SlotRefusedError, members: Record<string, unknown> = {}): HttpError {
  const { status, field } = answers[code];
  return new HttpError(status, code, message, [{ field, detail: message }], { members });
}
