/** The read models of the display: kept up to date by `projectSlots`, and built anew by `npm run rebuild`. */
export { slotLocations } from './slot-locations.ts';
export { slotsByDay } from './slots-by-day.ts';
