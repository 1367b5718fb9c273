import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { Rule } from '../rule.ts';
import { at, entriesOf, list } from '../template.ts';

/** Rules that are for orders with a pick-up slot alone, and where their events name the slot, or its order. */
const filtered: ReadonlyMap<string, readonly [string, ...string[]]> = new Map([
  ['fulfillment OnOrderConfirmedRule', ['slotId']],
  ['fulfillment OnSlotProgressRule', ['reservation', 'orderId']],
  ['reservations OnOrderPlacedRule', ['slotId']],
  ['reservations OnOrderCancelledRule', ['slotId']],
]);

/** Most orders are sent, and most reservations have no order: what is for the others must get them, and need not get these. */
export const slotOrders: Rule = {
  name: 'slot-orders',
  why: 'a consumer that gets every order costs as much as the orders do, and one that gets none hands nothing over',
  check(service, { exampleEvents }) {
    return entriesOf(service, 'AWS::Events::Rule').flatMap(({ id, properties }) => {
      const path = filtered.get(`${service.name} ${id}`);
      if (!path) return [];
      let matches: (event: JsonValue) => boolean;
      try {
        matches = compilePattern((properties.EventPattern ?? {}) as object);
      } catch {
        return []; // the rule `rule-patterns` says so
      }
      const named = list(at(properties.EventPattern, 'detail-type')).map(String);
      const events = exampleEvents.filter(({ detailType }) => named.includes(detailType)).map(({ event }) => event);
      const field = `data.${path.join('.')}`;
      return [
        ...(events.every((event) => matches(withField(event, path, 'slot-or-order')))
          ? []
          : [{ resource: id, problem: `leaves out events that have ${field}` }]),
        ...(events.some((event) => matches(withField(event, path, undefined)))
          ? [{ resource: id, problem: `takes events without ${field}` }]
          : []),
      ];
    });
  },
};

/** The event with a field of its data set, or left out. */
function withField(event: unknown, path: readonly string[], value: string | undefined): JsonValue {
  const copy = JSON.parse(JSON.stringify(event));
  let parent = copy.detail.data;
  for (const key of path.slice(0, -1)) parent = parent[key] ??= {};
  const last = path.at(-1) as string;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}
