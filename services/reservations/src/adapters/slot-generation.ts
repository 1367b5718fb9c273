import { randomUUID } from 'node:crypto';
import { PutCommand, QueryCommand } from '@millrace/aws';
import { ConfigurationError } from '@millrace/errors';
import type { Table } from '@millrace/event-store';
import { derivedId } from '@millrace/events';
import { addDays, dateIn } from '../domain/local-time.ts';
import type { Location } from '../domain/location.ts';
import { slotsOf } from '../domain/slot-plan.ts';
import type { Slots } from './slots.ts';

/** Slots that are created side by side. */
const CONCURRENCY = 10;
/** Marks of days that have passed are deleted after a week. */
const KEPT_DAYS = 7;

/**
 * How many days ahead slots can be reserved, today included.
 * @throws ConfigurationError when MILLRACE_SLOT_HORIZON_DAYS is not a whole number from 1 to 90
 */
export function slotHorizonFromEnvironment({ MILLRACE_SLOT_HORIZON_DAYS: days = '' } = process.env): number {
  if (!/^([1-9]|[1-8]\d|90)$/.test(days)) {
    throw new ConfigurationError('MILLRACE_SLOT_HORIZON_DAYS', 'a whole number of days, 1 to 90');
  }
  return Number(days);
}

/** Where slots are generated, for which days, and when to stop. */
export interface Generation {
  locations: readonly Location[];
  /** Days ahead, today at the location included. */
  horizonDays: number;
  now: Date;
  /** Asked before each few slots; the next generation goes on where this one ends. */
  isTimeLeft: () => boolean;
}

/**
 * Creates the slots of the coming days that are not there yet. A day that is done is marked, with what was planned for it: it is looked at again
 * only when opening hours or lengths have changed, and then gets the slots that are new. Those that are no longer planned stay, as
 * somebody may have reserved them: close them.
 *
 * To create a slot again changes nothing, so a generation may die at any point, run twice or run beside another one.
 * @returns how many slots were created
 * @example await generateSlots(slots, table, { locations, horizonDays: 14, now: new Date(), isTimeLeft: () => true });
 */
export async function generateSlots(
  slots: Pick<Slots, 'execute'>,
  table: Table,
  { locations, horizonDays, now, isTimeLeft }: Generation,
): Promise<number> {
  const cause = { correlationId: randomUUID() };
  let created = 0;
  for (const location of locations) {
    const today = dateIn(location.timeZone, now);
    const done = await plansOf(table, location.id, today);
    for (let ahead = 0; ahead < horizonDays; ahead += 1) {
      const date = addDays(today, ahead);
      const planned = slotsOf(location, date);
      const plan = derivedId(['slot-plan', planned]);
      if (done.get(date) === plan) continue;
      const open = planned.filter(({ endsAt }) => endsAt > now.toISOString());
      for (let start = 0; start < open.length; start += CONCURRENCY) {
        if (!isTimeLeft()) return created;
        const results = await Promise.all(
          open
            .slice(start, start + CONCURRENCY)
            .map((slot) => slots.execute(slot.slotId, { type: 'CreateSlot', slot, now: now.toISOString() }, cause)),
        );
        created += results.filter(({ events }) => events.length > 0).length;
      }
      await markDone(table, location.id, date, plan);
    }
  }
  return created;
}

/** What was planned for the days that are done, from a day on. */
async function plansOf({ client, name }: Table, locationId: string, from: string): Promise<Map<string, string>> {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: name,
      KeyConditionExpression: 'pk = :pk AND sk >= :from',
      ExpressionAttributeValues: { ':pk': partitionOf(locationId), ':from': from },
    }),
  );
  return new Map(Items.map(({ sk, plan }) => [sk, plan]));
}

async function markDone({ client, name }: Table, locationId: string, date: string, plan: string): Promise<void> {
  const ttl = Math.floor(Date.parse(addDays(date, KEPT_DAYS)) / 1000);
  await client.send(new PutCommand({ TableName: name, Item: { pk: partitionOf(locationId), sk: date, plan, ttl } }));
}

function partitionOf(locationId: string): string {
  return `SLOT-DAYS#${locationId}`;
}
