import { minuteRange } from '@millrace/http';
import * as z from 'zod';
import { projections } from './figures/index.ts';

const MAX_HOURS = 24;
const MAX_SKUS = 100;
const names = projections.map(({ name }) => name) as [string, ...string[]];

/** The query of figures of some time: `from` is in the range and `to` is not. */
export const rangeQuery = minuteRange({}, MAX_HOURS);

/** The query of `GET /analytics/series`. */
export const seriesQuery = minuteRange(
  { of: z.enum(names, `expected one of ${names.join(', ')}`).default('orders') },
  MAX_HOURS,
);

/** The query of `GET /analytics/top`. */
export const topQuery = minuteRange(
  {
    limit: z
      .string()
      .regex(/^([1-9]\d?|100)$/, `expected a number from 1 to ${MAX_SKUS}`)
      .transform(Number)
      .default(10),
  },
  MAX_HOURS,
);
