import { relay } from '@millrace/event-store';
import {
  SlotAssigned,
  SlotAssignmentRefused,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
} from '../../events/index.ts';

/** Emits the slots' own events from the table's stream, and their analytics variants. */
export const handler = relay([
  SlotAssigned,
  SlotAssignmentRefused,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
]);
