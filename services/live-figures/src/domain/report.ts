import { bandOf, isUnusual } from './anomaly.ts';
import { steps } from './figures/funnel.ts';
import { sumOf } from './minute.ts';
import type { Figures } from './projection.ts';

/** A minute as the table has it. */
export interface MinuteFigures {
  /** `2026-01-15T09:30` */
  minute: string;
  figures: Readonly<Record<string, Figures>>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Of how many hours the same minutes are looked at. */
const EARLIER_HOURS = 6;
/** Minutes before and after the same one: an hour is not exact. */
const AROUND = 2;
/** What is watched. */
const watched = ['placed', 'confirmed', 'cancelled'] as const;

/** The figures of one projection, minute by minute. */
export function seriesOf(minutes: readonly MinuteFigures[], projection: string) {
  return minutes.flatMap(({ minute, figures }) =>
    figures[projection] ? [{ minute: `${minute}Z`, ...figures[projection] }] : [],
  );
}

/**
 * How many sessions and orders came to each step, and which part of the first step that is: the sessions that looked at a product, or, where
 * no view is known, the orders that were placed.
 */
export function funnelOf(minutes: readonly MinuteFigures[]) {
  const { funnel = {} } = sumOf(minutes.map(({ figures }) => figures));
  const whole = funnel.viewed || funnel.placed || 0;
  return steps.map((step) => {
    const count = funnel[step] ?? 0;
    return { step, count, share: whole === 0 ? 0 : Math.round((count / whole) * 10_000) / 10_000 };
  });
}

/** The SKUs of which most pieces were ordered. */
export function topOf(minutes: readonly MinuteFigures[], limit: number) {
  const { skus = {} } = sumOf(minutes.map(({ figures }) => figures));
  return Object.entries(skus)
    .map(([sku, quantity]) => ({ sku, quantity }))
    .sort((a, b) => b.quantity - a.quantity || (a.sku < b.sku ? -1 : 1))
    .slice(0, limit);
}

/**
 * The minutes from `from` to before `to` that differ from the same minutes of earlier hours.
 * @param minutes those, and those from `earlierStart` on; a minute without events is not among them
 */
export function anomaliesOf(minutes: readonly MinuteFigures[], from: string, to: string) {
  const known = new Map(minutes.map(({ minute, figures }) => [Date.parse(`${minute}Z`), figures.orders ?? {}]));
  const first = Math.min(...known.keys());
  const anomalies: object[] = [];
  for (let time = Date.parse(`${from}Z`); time < Date.parse(`${to}Z`); time += MINUTE_MS) {
    for (const figure of watched) {
      const valueAt = (at: number) => known.get(at)?.[figure] ?? 0;
      // What is before the first known minute was not zero: the shop was not there.
      const band = bandOf(
        sameMinutes(time)
          .filter((at) => at >= first)
          .map(valueAt),
      );
      const value = valueAt(time);
      if (!band || !isUnusual(value, band)) continue;
      anomalies.push({ minute: `${new Date(time).toISOString().slice(0, 16)}Z`, figure, value, ...band });
    }
  }
  return anomalies;
}

/** From which minute on the earlier ones of a range are. */
export function earlierStart(from: string): string {
  const time = Date.parse(`${from}Z`) - EARLIER_HOURS * HOUR_MS - AROUND * MINUTE_MS;
  return new Date(time).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);
}

function sameMinutes(time: number): number[] {
  return Array.from({ length: EARLIER_HOURS }, (_, hour) => time - (hour + 1) * HOUR_MS).flatMap((same) =>
    Array.from({ length: 2 * AROUND + 1 }, (_, index) => same + (index - AROUND) * MINUTE_MS),
  );
}
