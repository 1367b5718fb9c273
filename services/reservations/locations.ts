import { defineLocations } from './src/domain/location.ts';

/**
 * Where customers can pick up. The same at every stage: opening hours are facts of a place, and a change of them is reviewed, tested
 * and deployed like any other.
 */
export const locations = defineLocations([
  {
    id: 'berlin-mitte',
    name: 'Berlin Mitte',
    timeZone: 'Europe/Berlin',
    slotMinutes: 30,
    openingHours: {
      monday: ['10:00-18:00'],
      tuesday: ['10:00-18:00'],
      wednesday: ['10:00-18:00'],
      thursday: ['10:00-18:00'],
      friday: ['10:00-18:00'],
      saturday: ['10:00-14:00'],
    },
    specialDays: { '2026-12-25': [], '2026-12-26': [] },
  },
  {
    id: 'new-york-soho',
    name: 'New York SoHo',
    timeZone: 'America/New_York',
    slotMinutes: 60,
    openingHours: {
      tuesday: ['09:00-12:00', '13:00-17:00'],
      thursday: ['09:00-12:00', '13:00-17:00'],
      sunday: ['11:00-16:00'],
    },
  },
]);
