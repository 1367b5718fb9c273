import { defineProjection } from '@millrace/projections';
import { SlotCreated } from '@millrace/reservations/events';

/** A place that has slots. */
export interface SlotLocation {
  id: string;
  name: string;
  timeZone: string;
  /** When the slot was made that says so. */
  asOf: string;
}

/** The one partition, by the ids of the locations. */
export const LOCATIONS = 'LOCATIONS';

/** What its newest slot says of a location. */
export const slotLocations = defineProjection({
  name: 'slot-locations',
  events: [SlotCreated],
  late: 'apply',
  keyOf: ({ data }) => ({ partition: LOCATIONS, sort: data.location.id }),
  evolve: (row: SlotLocation | undefined, { data: { location }, metadata: { timestamp } }): SlotLocation =>
    row && row.asOf > timestamp ? row : { ...location, asOf: timestamp },
});
