import { randomUUID } from 'node:crypto';
import { commit, inboxMark, type Table, tableFromEnvironment } from '@millrace/event-store';
import type { Cause, InboxKey } from '@millrace/events';
import { SlotAssignmentRefused, slotAssignmentRefusal } from '../../events/index.ts';
import { SlotRefusedError } from '../domain/slot-errors.ts';
import { OrderAnsweredError, OrderAnswers } from './order-answers.ts';
import { Slots } from './slots.ts';

/** An order that may name a slot. */
export interface SlotOrder {
  orderId: string;
  slotId?: string | undefined;
  /** The customer: only the holder's orders get a slot. */
  holder: string;
}

/** Gives orders the slots that they name, and takes them back when the orders are cancelled, in whatever order the events come. */
export class SlotOrders {
  readonly #table: Table;
  readonly #slots: Slots;
  readonly #answers: OrderAnswers;
  readonly #now: () => Date;

  constructor(table: Table, now: () => Date = () => new Date()) {
    this.#table = table;
    this.#slots = new Slots(table);
    this.#answers = new OrderAnswers(table);
    this.#now = now;
  }

  /**
   * Answers an order, once: SlotAssigned, or SlotAssignmentRefused with the reason. An order that names no slot, or was cancelled before,
   * gets no answer.
   * @throws DuplicateEventError when the event behind it was handled before
   * @example await slotOrders.assign({ orderId, slotId, holder: customer.id }, cause, inbox);
   */
  async assign(order: SlotOrder, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, slotId, holder } = order;
    if (slotId === undefined || (await this.#answers.find(orderId))) return this.#mark(inbox);
    await this.#unlessAnswered(
      async () => {
        const refusal = await this.#refusalOf(slotId, { type: 'AssignSlot', orderId, holder }, cause, inbox);
        if (refusal) await this.#refuse({ orderId, slotId }, refusal, cause, inbox);
      },
      () => this.#mark(inbox),
    );
  }

  /**
   * Frees the slot of a cancelled order. An order that has none yet never gets one.
   * @throws DuplicateEventError when the event behind it was handled before
   */
  async release(order: SlotOrder, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, slotId, holder } = order;
    if (slotId === undefined) return this.#mark(inbox);
    const answer = await this.#answers.find(orderId);
    if (answer === 'ASSIGNED') {
      const refusal = await this.#refusalOf(slotId, { type: 'ReleaseSlot', orderId }, cause, inbox);
      if (refusal) await this.#mark(inbox);
    } else if (answer) {
      await this.#mark(inbox);
    } else {
      await this.#unlessAnswered(
        async () => {
          const command = { type: 'ReleaseUnassigned', orderId, holder } as const;
          if (await this.#refusalOf(slotId, command, cause, inbox)) await this.#forestall(orderId, inbox);
        },
        // The answer that came first says what there is to free.
        () => this.release(order, cause, inbox),
      );
    }
  }

  async #forestall(orderId: string, inbox: InboxKey): Promise<void> {
    const forestalled = this.#answers.addition(orderId, 'FORESTALLED', this.#now());
    await commit(this.#table.client, [forestalled, inboxMark(this.#table.name, inbox, this.#now())]);
  }

  /** Runs a command on the slot. @returns why it was refused; undefined when it was not */
  async #refusalOf(
    slotId: string,
    command:
      | { type: 'AssignSlot' | 'ReleaseUnassigned'; orderId: string; holder: string }
      | { type: 'ReleaseSlot'; orderId: string },
    cause: Cause,
    inbox: InboxKey,
  ): Promise<SlotRefusedError | undefined> {
    try {
      await this.#slots.execute(slotId, { ...command, now: this.#time() }, cause, inbox);
      return undefined;
    } catch (error) {
      if (error instanceof SlotRefusedError) return error;
      throw error;
    }
  }

  /** The slot is as it was, so its stream has nothing to tell: the event is kept with the mark. */
  async #refuse(
    { orderId, slotId }: { orderId: string; slotId: string },
    { code }: SlotRefusedError,
    cause: Cause,
    inbox: InboxKey,
  ): Promise<void> {
    const now = this.#now();
    const data = { orderId, slotId, reason: slotAssignmentRefusal.parse(code) };
    const refused = SlotAssignmentRefused.create(data, { ...cause, id: randomUUID(), time: now, subject: orderId });
    await commit(this.#table.client, [
      this.#answers.addition(orderId, 'REFUSED', now),
      inboxMark(this.#table.name, inbox, now, refused),
    ]);
  }

  async #unlessAnswered(attempt: () => Promise<void>, otherwise: () => Promise<void>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof OrderAnsweredError)) throw error;
      await otherwise();
    }
  }

  async #mark(inbox: InboxKey): Promise<void> {
    await commit(this.#table.client, [inboxMark(this.#table.name, inbox, this.#now())]);
  }

  #time(): string {
    return this.#now().toISOString();
  }
}

/** The orders and slots of the table in MILLRACE_TABLE. @throws ConfigurationError when it is not set */
export function slotOrdersFromEnvironment(): SlotOrders {
  return new SlotOrders(tableFromEnvironment());
}
