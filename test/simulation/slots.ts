import { locations } from '../../services/reservations/locations.ts';
import { slotsOf } from '../../services/reservations/src/domain/slot-plan.ts';

/** How many days have slots: the one on which a history begins, and the next. */
export const SLOT_HORIZON_DAYS = 2;

const [location] = locations;
const slotIdsOf = (date: string, isWanted: (startsAt: string) => boolean): string[] =>
  location
    ? slotsOf(location, date)
        .filter(({ startsAt }) => isWanted(startsAt))
        .map(({ slotId }) => slotId)
    : [];

/** The slot that has begun when a history begins: its reservations end within ten minutes, or by a check-in. */
export const begunSlot = slotIdsOf('2026-03-02', (startsAt) => startsAt === '2026-03-02T12:00:00.000Z')[0] ?? '';

/** Slots of the next day: their reservations outlast a history, unless something frees them. */
export const laterSlots = slotIdsOf('2026-03-03', () => true).slice(0, 2);
