import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { locations } from '../../locations.ts';
import { addDays, dateIn, instantOf } from './local-time.ts';
import { defineLocations, type Location } from './location.ts';
import { slotsOf } from './slot-plan.ts';

const everyDay = (...hours: string[]) => ({
  monday: hours,
  tuesday: hours,
  wednesday: hours,
  thursday: hours,
  friday: hours,
  saturday: hours,
  sunday: hours,
});
const place = { id: 'berlin', name: 'Berlin', timeZone: 'Europe/Berlin', slotMinutes: 60 };

function locationOf(changes: Partial<Parameters<typeof defineLocations>[0][number]> = {}): Location {
  const [location] = defineLocations([{ ...place, openingHours: everyDay('10:00-13:00'), ...changes }]);
  if (!location) throw new Error('no location');
  return location;
}

const startsOf = (location: Location, date: string) =>
  slotsOf(location, date).map(({ startsAt }) => startsAt.slice(5, 16));

describe('the slots of a day', () => {
  test('follow one another within opening hours, by the clocks of the location', () => {
    expect(startsOf(locationOf(), '2026-01-15')).toEqual(['01-15T09:00', '01-15T10:00', '01-15T11:00']);
    expect(startsOf(locationOf(), '2026-07-15')).toEqual(['07-15T08:00', '07-15T09:00', '07-15T10:00']);
  });

  test('end by closing time', () => {
    const location = locationOf({ openingHours: everyDay('10:00-11:59', '12:00-13:00') });
    expect(startsOf(location, '2026-01-15')).toEqual(['01-15T09:00', '01-15T11:00']);
  });

  test('are those of the weekday, or of a special day', () => {
    const location = locationOf({
      openingHours: { thursday: ['10:00-11:00'] },
      specialDays: { '2026-01-22': [], '2026-01-16': ['12:00-13:00'] },
    });
    expect(startsOf(location, '2026-01-15')).toEqual(['01-15T09:00']);
    expect(startsOf(location, '2026-01-16')).toEqual(['01-16T11:00']);
    expect(startsOf(location, '2026-01-22')).toEqual([]);
  });

  test('have ids that follow from location and start', () => {
    const [first] = slotsOf(locationOf(), '2026-01-15');
    expect(slotsOf(locationOf({ name: 'Berlin Mitte' }), '2026-01-15')[0]?.slotId).toBe(first?.slotId);
    expect(slotsOf(locationOf({ id: 'hamburg' }), '2026-01-15')[0]?.slotId).not.toBe(first?.slotId);
  });
});

describe('when the clocks change', () => {
  const open = locationOf({ openingHours: everyDay('00:00-24:00') });

  test.each([
    ['2026-03-28', 24],
    ['2026-03-29', 23],
    ['2026-10-25', 25],
    ['2026-10-26', 24],
  ])('%s has %d hours', (date, hours) => {
    const slots = slotsOf(open, date);
    expect(slots).toHaveLength(hours);
    expect(
      slots.every((slot) => slot.date === date && dateIn(slot.location.timeZone, new Date(slot.startsAt)) === date),
    ).toBe(true);
  });

  test('hours that are skipped have no slots, and hours that come twice have slots twice', () => {
    const night = locationOf({ openingHours: everyDay('01:00-04:00') });
    expect(startsOf(night, '2026-03-29')).toEqual(['03-29T00:00', '03-29T01:00']);
    expect(startsOf(night, '2026-10-25')).toEqual(['10-24T23:00', '10-25T00:00', '10-25T01:00', '10-25T02:00']);
  });

  test('opening hours of the day stay on the clocks', () => {
    expect(startsOf(locationOf(), '2026-03-28')[0]).toBe('03-28T09:00');
    expect(startsOf(locationOf(), '2026-03-29')[0]).toBe('03-29T08:00');
  });

  test('a time that is skipped is as much later, and one that comes twice is the earlier or the later', () => {
    const instant = (date: string, minutes: number, which: 'earlier' | 'later') =>
      instantOf(date, minutes, 'Europe/Berlin', which).toISOString();
    expect(instant('2026-03-29', 150, 'earlier')).toBe('2026-03-29T01:30:00.000Z');
    expect(instant('2026-10-25', 150, 'earlier')).toBe('2026-10-25T00:30:00.000Z');
    expect(instant('2026-10-25', 150, 'later')).toBe('2026-10-25T01:30:00.000Z');
  });

  test('in every time zone, the days of a year follow one another without a gap or an overlap', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'America/Havana',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Africa/Cairo',
      'Pacific/Apia',
      'America/Santiago',
      'UTC',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 3_650 }), (timeZone, days) => {
        const location = locationOf({ timeZone, slotMinutes: 30, openingHours: everyDay('00:00-24:00') });
        const date = addDays('2020-01-01', days);
        const slots = [...slotsOf(location, date), ...slotsOf(location, addDays(date, 1))];
        slots.slice(1).forEach((slot, index) => {
          expect(slot.startsAt).toBe(slots[index]?.endsAt);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('the configuration of the locations', () => {
  test('is valid', () => {
    expect(locations.length).toBeGreaterThan(0);
  });

  test.each([
    [{ id: 'Berlin Mitte' }, 'locations[0].id: expected lower-case letters, digits and dashes'],
    [{ timeZone: 'Europe/Atlantis' }, 'locations[0].timeZone: expected an IANA time zone such as Europe/Berlin'],
    [{ timeZone: '+01:00' }, 'locations[0].timeZone: expected an IANA time zone'],
    [{ slotMinutes: 0 }, 'locations[0].slotMinutes: at least 5'],
    [{ openingHours: { monday: ['9-17'] } }, 'locations[0].openingHours.monday[0][0]: expected a time such as 09:30'],
    [
      { openingHours: { monday: ['09:00'] } },
      'locations[0].openingHours.monday[0]: expected opening and closing times',
    ],
    [{ openingHours: { monday: ['17:00-09:00'] } }, 'locations[0].openingHours.monday[0]: must close after it opens'],
    [
      { openingHours: { monday: ['09:00-12:00', '11:00-13:00'] } },
      'locations[0].openingHours.monday: must be in order',
    ],
    [{ openingHours: { monday: ['09:00-09:30'] } }, 'locations[0].openingHours.monday: must be long enough for a slot'],
    [{ specialDays: { '2026-02-30': [] } }, 'locations[0].specialDays.2026-02-30'],
  ])('%j is refused by name', (changes, message) => {
    expect(() => locationOf(changes)).toThrow(message);
  });

  test('with two locations of one id, or a field that it does not know, is refused', () => {
    const location = { ...place, openingHours: {} };
    expect(() => defineLocations([location, location])).toThrow('locations[1].id: another location has this id');
    expect(() => defineLocations([{ ...location, openingHour: {} } as typeof location])).toThrow('openingHour');
  });
});
