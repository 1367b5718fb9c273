import { QueryCommand } from '@millrace/aws';
import type { ConditionalWrite, Table } from '@millrace/event-store';
import type { Slot } from '../domain/slot.ts';

/** A slot to choose instead of another one. */
export interface FreeSlot {
  slotId: string;
  startsAt: string;
  endsAt: string;
}

/** How many alternatives are named. */
const ALTERNATIVES = 5;
/** No slot is longer: one that starts before that has ended. */
const LONGEST_MS = 4 * 3_600_000;
/** Rows of slots that have ended are deleted a day later. */
const KEPT_SECONDS = 86_400;

/**
 * The free slots of each location, in the order of time. A row comes and goes in the transactions of the slot's events, so that it is
 * there exactly while the slot is free.
 */
export class FreeSlots {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The write that adds a slot, for the transaction in which it becomes free. */
  addition(slot: Slot): ConditionalWrite {
    const { slotId, startsAt, endsAt } = slot;
    const ttl = Math.ceil(Date.parse(endsAt) / 1000) + KEPT_SECONDS;
    return {
      write: { Put: { TableName: this.#table.name, Item: { ...keyOf(slot), slotId, startsAt, endsAt, ttl } } },
    };
  }

  /** The write that takes a slot out, for the transaction in which it is no longer free. */
  removal(slot: Slot): ConditionalWrite {
    return { write: { Delete: { TableName: this.#table.name, Key: keyOf(slot) } } };
  }

  /**
   * The free slots of the same location that are nearest to a slot's start and have not ended, up to five, in the order of time.
   * @example await freeSlots.near(slot, new Date()); // [{ slotId, startsAt, endsAt }, …]
   */
  async near({ slotId, location, startsAt }: Slot, now: Date): Promise<FreeSlot[]> {
    const earliest = new Date(now.getTime() - LONGEST_MS).toISOString();
    const wanted = Date.parse(startsAt);
    const [before, after] = await Promise.all([
      this.#read(location.id, earliest, startsAt, false),
      this.#read(location.id, startsAt < earliest ? earliest : startsAt, '~', true),
    ]);
    const distance = (slot: FreeSlot) => Math.abs(Date.parse(slot.startsAt) - wanted);
    return [...before, ...after]
      .filter((slot) => slot.slotId !== slotId && slot.endsAt > now.toISOString())
      .toSorted((a, b) => distance(a) - distance(b))
      .slice(0, ALTERNATIVES)
      .toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : 1));
  }

  async #read(locationId: string, from: string, to: string, ascending: boolean): Promise<FreeSlot[]> {
    if (from > to) return [];
    const { Items = [] } = await this.#table.client.send(
      new QueryCommand({
        TableName: this.#table.name,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': partitionOf(locationId), ':from': from, ':to': to },
        // The slot itself may be among them, when it has just become free.
        Limit: ALTERNATIVES + 1,
        ScanIndexForward: ascending,
        ConsistentRead: true,
      }),
    );
    return Items.map(({ slotId, startsAt, endsAt }) => ({ slotId, startsAt, endsAt }));
  }
}

function keyOf({ location, startsAt, slotId }: Slot): { pk: string; sk: string } {
  return { pk: partitionOf(location.id), sk: `${startsAt}#${slotId}` };
}

function partitionOf(locationId: string): string {
  return `FREE-SLOTS#${locationId}`;
}
