import { PermanentError, UnavailableError } from '@millrace/errors';

/** Why a command about a slot is refused. */
const refusals = {
  SLOT_NOT_FOUND: 'There is no such slot',
  SLOT_TAKEN: 'Another customer has reserved this slot',
  SLOT_CLOSED: 'This slot is closed',
  SLOT_ENDED: 'The time of this slot is over',
  SLOT_CHECKED_IN: 'The holder of this slot has checked in',
  RESERVATION_NOT_FOUND: 'You have no reservation of this slot',
  RESERVATION_UNATTENDED: 'Your reservation has ended: you did not check in in time',
  CHECK_IN_TOO_EARLY: 'The slot has not started yet',
  WRONG_CHECK_IN_CODE: 'This is not the check-in code of your reservation',
  SLOT_HAS_ORDER: 'You pick up another order in this slot',
  NOT_CHECKED_IN: 'You have not checked in to this slot',
} as const;

export type SlotRefusal = keyof typeof refusals;

/** A command that the slot's state does not allow. Its code says why. */
export class SlotRefusedError extends PermanentError {
  declare readonly code: SlotRefusal;

  constructor(code: SlotRefusal) {
    super(code, refusals[code]);
  }
}

/** The time limit of a reservation has not passed yet: a schedule, or a clock, is early. It passes in a moment. */
export class ReservationNotDueError extends UnavailableError {
  constructor() {
    super('RESERVATION_NOT_DUE', 'The time limit of the reservation has not passed yet');
  }
}
