import { randomUUID } from 'node:crypto';
import { documentClient } from '@millrace/aws';
import { Slots } from '../../services/reservations/src/adapters/slots.ts';
import { checkInCodeHash } from '../../services/reservations/src/domain/check-in-code.ts';
import type { NewSlot } from '../../services/reservations/src/domain/slot.ts';
import type { System } from './system.ts';

const MINUTE = 60_000;
/** The code of every reservation that is made past the API. */
export const CODE = '7Q4M-2XNP-9TRD';

/** The slots of the system under test, past the API: by a clock that is not now. */
export function slotsIn({ awsUrl: endpoint }: Pick<System, 'awsUrl'>): Slots {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = documentClient({ endpoint, region: 'us-east-1', credentials });
  return new Slots({ client, name: 'millrace-reservations-dev' });
}

/** What a slot of a test is to be like. */
interface SlotWish {
  /** Minutes from now, with fractions; an hour unless given. */
  startsIn?: number;
  locationId?: string;
  /** Who has reserved it, a minute before its start or an hour ago. */
  holder?: string;
  checkedIn?: boolean;
}

/** Creates a slot of half an hour, at a location of its own unless the wish names one. */
export async function slotOf(
  system: Pick<System, 'awsUrl'>,
  { startsIn = 60, locationId = `location-${randomUUID()}`, holder, checkedIn }: SlotWish = {},
): Promise<NewSlot> {
  const slots = slotsIn(system);
  const cause = { correlationId: randomUUID() };
  const start = Date.now() + startsIn * MINUTE;
  const startsAt = new Date(start).toISOString();
  const slot = {
    slotId: randomUUID(),
    location: { id: locationId, name: 'Mill Lane', timeZone: 'Europe/Berlin' },
    date: startsAt.slice(0, 10),
    startsAt,
    endsAt: new Date(start + 30 * MINUTE).toISOString(),
  };
  const { slotId } = slot;
  const now = new Date(Math.min(start - MINUTE, Date.now())).toISOString();
  await slots.execute(slotId, { type: 'CreateSlot', slot, now }, cause);
  if (holder !== undefined) {
    const ids = { holder, codeHash: checkInCodeHash({ slotId, holder, code: CODE }) };
    await slots.execute(slotId, { type: 'ReserveSlot', reservationId: randomUUID(), ...ids, now }, cause);
    if (checkedIn) await slots.execute(slotId, { type: 'CheckIn', ...ids, now: startsAt }, cause);
  }
  return slot;
}
