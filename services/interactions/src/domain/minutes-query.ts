import { minuteRange } from '@millrace/http';

/** The query of `GET /interactions/minutes`. */
export const minutesQuery = minuteRange({}, 24);
