import type { AnalyticsContract, Event, EventOf } from '@millrace/events';

/** What one event adds to figures, by their names. Amounts are whole numbers: orders, pieces, or minor units of a currency. */
export type Figures = Readonly<Record<string, number>>;

/** A dimension of the figures. */
export interface Projection {
  /** Groups its figures, in the table and in answers. It must never change. */
  name: string;
  contracts: readonly AnalyticsContract[];
  /** What an event adds; `undefined` for an event of other projections. */
  measure(event: Event): Figures | undefined;
}

/**
 * Declares a dimension. What an event adds depends on nothing but the event, so it does not matter in which order events come.
 * @example
 * export const orders = defineProjection('orders', [OrderPlaced.analytics], () => ({ placed: 1 }));
 */
export function defineProjection<const Contracts extends readonly AnalyticsContract[]>(
  name: string,
  contracts: Contracts,
  measure: (event: EventOf<Contracts[number]>) => Figures,
): Projection {
  const known = new Set(contracts.map(({ detailType }) => detailType));
  return {
    name,
    contracts,
    measure: (event) => (known.has(event.detailType) ? measure(event as EventOf<Contracts[number]>) : undefined),
  };
}
