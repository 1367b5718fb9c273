import { endpoint, HttpError } from '@millrace/http';
import { LOCATIONS, slotLocations } from '../../projections/slot-locations.ts';
import { dayOf, slotsByDay } from '../../projections/slots-by-day.ts';
import { projectionReaderFromEnvironment } from '../adapters/projections.ts';
import { locationPath, slotsQuery } from '../domain/slots-query.ts';

const reader = projectionReaderFromEnvironment();

/** `GET /locations/{locationId}/slots?date=…`: the slots of a day, in the order of time. It is a moment behind `GET /slots/{slotId}`. */
export const handler = endpoint(
  { path: locationPath, query: slotsQuery },
  async ({ path: { locationId }, query: { date } }) => {
    const [locations, slots] = await Promise.all([
      reader.query(slotLocations, LOCATIONS, { between: [locationId, locationId] }),
      reader.query(slotsByDay, dayOf(locationId, date)),
    ]);
    const [location] = locations.rows;
    if (!location) {
      const detail = 'There is no such location';
      throw new HttpError(404, 'LOCATION_NOT_FOUND', detail, [{ field: 'locationId', detail }]);
    }
    const { id, name, timeZone } = location.row;
    const now = new Date().toISOString();
    return {
      status: 200,
      body: {
        location: { id, name, timeZone },
        date,
        slots: slots.rows.map(({ row: { slotId, startsAt, endsAt, status } }) => ({
          ...{ slotId, startsAt, endsAt },
          status: endsAt <= now ? 'ENDED' : status,
        })),
      },
    };
  },
);
