import {
  type Aggregate,
  type CommandContext,
  CommandRunner,
  type ConditionalWrite,
  DynamoDbEventStore,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { Cause, EmittableEvent, EventContext, InboxKey } from '@millrace/events';
import { Deadlines } from '@millrace/timers';
import {
  SlotAssigned,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
} from '../../events/index.ts';
import {
  deadlineOf,
  decide,
  evolve,
  type Reservation,
  type Slot,
  type SlotCommand,
  type SlotEvent,
} from '../domain/slot.ts';
import { SlotRefusedError } from '../domain/slot-errors.ts';
import { type FreeSlot, FreeSlots } from './free-slots.ts';
import { OrderAnswers } from './order-answers.ts';

/** The event-sourced slots of one table. */
export class Slots {
  readonly #runner: CommandRunner<Slot | undefined, SlotCommand, SlotEvent>;
  readonly #freeSlots: FreeSlots;

  constructor(table: Table) {
    this.#freeSlots = new FreeSlots(table);
    const store = new DynamoDbEventStore<SlotEvent>(table.client, table.name);
    const rows = {
      freeSlots: this.#freeSlots,
      deadlines: reservationDeadlinesIn(table),
      answers: new OrderAnswers(table),
    };
    this.#runner = new CommandRunner(store, aggregateOf(rows));
  }

  /**
   * Decides a command on the slot's current state and appends what follows, with the inbox mark of the event behind it.
   * @returns the slot after the command, and what the command added
   * @throws what `decide` throws; DuplicateEventError when the event behind it was handled before
   */
  async execute(
    slotId: string,
    command: SlotCommand,
    cause: Omit<CommandContext, 'inbox' | 'assumeNew'>,
    inbox?: InboxKey,
  ): Promise<{ slot: Slot; events: readonly SlotEvent[] }> {
    const assumeNew = command.type === 'CreateSlot';
    const { state, events } = await this.#runner.execute(slotId, command, { ...cause, inbox, assumeNew });
    if (!state) throw new Error(`No slot follows from ${command.type}`);
    return { slot: state, events };
  }

  /** @throws SlotRefusedError SLOT_NOT_FOUND */
  async load(slotId: string): Promise<Slot> {
    const { state } = await this.#runner.load(slotId);
    if (!state) throw new SlotRefusedError('SLOT_NOT_FOUND');
    return state;
  }

  /** Free slots near one, to choose instead of it. */
  async alternativesTo(slotId: string, now: Date): Promise<FreeSlot[]> {
    return this.#freeSlots.near(await this.load(slotId), now);
  }
}

/** The slots of the table in MILLRACE_TABLE. @throws ConfigurationError when it is not set */
export function slotsFromEnvironment(): Slots {
  return new Slots(tableFromEnvironment());
}

/** The rows of the reservations that have not ended, by the time limits at which they end by themselves. */
export function reservationDeadlinesIn(table: Table): Deadlines {
  return new Deadlines(table, { name: 'RESERVATION-DEADLINES', idAttribute: 'slotId' });
}

/** What is written beside the events of slots. */
interface SlotRows {
  freeSlots: FreeSlots;
  deadlines: Deadlines;
  answers: OrderAnswers;
}

const aggregateOf = (rows: SlotRows): Aggregate<Slot | undefined, SlotCommand, SlotEvent> => ({
  initialState: undefined,
  decide,
  evolve,
  streamOf: (slotId) => `SLOT#${slotId}`,
  publish: (event, slot, context) => slot && publicEvent(event, slot, context),
  alongside: (event, slot, context) => (slot ? rowsOf(event, slot, context, rows) : []),
  snapshots: { every: 50, stateVersion: 2 },
});

/** What the bus is told: the slot, and the reservation without any trace of its code. */
function publicEvent(event: SlotEvent, slot: Slot, context: EventContext): EmittableEvent | undefined {
  const { slotId, location, date, startsAt, endsAt, status } = slot;
  const snapshot = { slotId, location, date, startsAt, endsAt, status };
  const reserved = () => ({ ...snapshot, reservation: publicReservation(slot) });
  switch (event.type) {
    case 'SlotCreated':
      return SlotCreated.create(snapshot, context);
    case 'SlotReserved':
      return SlotReserved.create(reserved(), context);
    case 'SlotAssigned':
      return SlotAssigned.create({ ...reserved(), orderId: event.orderId }, context);
    case 'SlotCheckedIn':
      return SlotCheckedIn.create(reserved(), context);
    case 'SlotCheckedOut':
      return SlotCheckedOut.create({ ...reserved(), reason: event.reason }, context);
    case 'SlotCancelled':
      return SlotCancelled.create({ ...reserved(), reason: event.reason }, context);
    case 'SlotUnattended':
      return SlotUnattended.create(reserved(), context);
    case 'SlotClosed':
      return SlotClosed.create(snapshot, context);
    case 'SlotReopened':
      return SlotReopened.create(snapshot, context);
    case 'CheckInCodeReplaced':
      return undefined;
  }
}

/** The reservation that an event is about: the one that the slot has, or the one that has just ended. */
function publicReservation({ reservation = {} as Reservation, ended, status }: Slot): Omit<Reservation, 'codeHash'> {
  const { codeHash: _, ...shown } = status === 'FREE' && ended ? ended.reservation : reservation;
  return shown;
}

/** The rows of what is free and of what ends by itself, as they are after the event. */
function rowsOf(
  event: SlotEvent,
  slot: Slot,
  context: EventContext,
  { freeSlots, deadlines, answers }: SlotRows,
): ConditionalWrite[] {
  const id = slot.slotId;
  const added = () => {
    const deadline = deadlineOf(slot);
    return deadline === undefined ? [] : [deadlines.addition({ id, deadline, cause: causeOf(context) })];
  };
  switch (event.type) {
    case 'SlotCreated':
    case 'SlotReopened':
      return [freeSlots.addition(slot)];
    case 'SlotClosed':
      return [freeSlots.removal(slot)];
    case 'SlotReserved':
      return [freeSlots.removal(slot), ...added()];
    case 'SlotAssigned':
      return [answers.addition(event.orderId, 'ASSIGNED', context.time)];
    case 'SlotCheckedIn': {
      const { checkInBy } = publicReservation(slot);
      return [deadlines.removal({ id, deadline: checkInBy }), ...added()];
    }
    case 'SlotCheckedOut':
      return [deadlines.removal({ id, deadline: slot.endsAt }), freeSlots.addition(slot)];
    case 'SlotCancelled':
    case 'SlotUnattended':
      return [deadlines.removal({ id, deadline: publicReservation(slot).checkInBy }), freeSlots.addition(slot)];
    case 'CheckInCodeReplaced':
      return [];
  }
}

/** The cause of a reservation's end when a sweep, and no event, says that its time is over. */
function causeOf({ id: causationId, correlationId }: EventContext): Cause {
  return { correlationId, causationId };
}
