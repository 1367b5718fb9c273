import { paginateQuery } from '@millrace/aws';
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
/** Rows that are read at once. Those of slots that have ended may come first. */
const PAGE = 20;
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
    const isAlternative = (slot: FreeSlot) => slot.slotId !== slotId && slot.endsAt > now.toISOString();
    const [before, after] = await Promise.all([
      this.#read(location.id, { from: earliest, to: startsAt, ascending: false }, isAlternative),
      this.#read(
        location.id,
        { from: startsAt < earliest ? earliest : startsAt, to: '~', ascending: true },
        isAlternative,
      ),
    ]);
    const distance = (slot: FreeSlot) => Math.abs(Date.parse(slot.startsAt) - wanted);
    return [...before, ...after]
      .toSorted((a, b) => distance(a) - distance(b))
      .slice(0, ALTERNATIVES)
      .toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : 1));
  }

  /** Reads until there are enough alternatives, or no more rows. */
  async #read(
    locationId: string,
    { from, to, ascending }: { from: string; to: string; ascending: boolean },
    isAlternative: (slot: FreeSlot) => boolean,
  ): Promise<FreeSlot[]> {
    const found: FreeSlot[] = [];
    if (from > to) return found;
    const pages = paginateQuery(this.#table.client, {
      TableName: this.#table.name,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':pk': partitionOf(locationId), ':from': from, ':to': to },
      Limit: PAGE,
      ScanIndexForward: ascending,
      ConsistentRead: true,
    });
    for await (const { Items = [] } of pages) {
      const slots = Items.map(({ slotId, startsAt, endsAt }): FreeSlot => ({ slotId, startsAt, endsAt }));
      found.push(...slots.filter(isAlternative));
      if (found.length >= ALTERNATIVES) break;
    }
    return found;
  }
}

function keyOf({ location, startsAt, slotId }: Slot): { pk: string; sk: string } {
  return { pk: partitionOf(location.id), sk: `${startsAt}#${slotId}` };
}

function partitionOf(locationId: string): string {
  return `FREE-SLOTS#${locationId}`;
}
