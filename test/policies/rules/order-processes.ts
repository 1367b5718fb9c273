import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { at, entriesOf, isOnDefaultBus } from '../template.ts';

/**
 * What may see the events of an order in checkout, as they take no step of its process: read models, the event log, the shelf that a
 * parcel is taken from, and the count of failed payments.
 */
const bystanders = new Set([
  'orders OnOrderProgressRule',
  'orders ProjectOrdersRule',
  'inventory OnShipmentCreatedRule',
  'checkout OnPaymentFailedRule',
  'event-log OnEventRule',
  'live-figures OnEventRule',
  'live-figures OnOrderPlacedRule',
]);

/** An order has one process: the choreography of the services, or the checkout. */
export const orderProcesses: Rule = {
  name: 'order-processes',
  why: 'an order whose steps two processes take is charged or shipped twice',
  check(service, { exampleEvents }) {
    const inCheckout = eventsInCheckout(exampleEvents);
    return entriesOf(service, 'AWS::Events::Rule')
      .filter(({ id, properties }) => !isOnDefaultBus(properties) && !bystanders.has(`${service.name} ${id}`))
      .filter(({ properties }) => {
        try {
          const matches = compilePattern((properties.EventPattern ?? {}) as object);
          return inCheckout.some(matches);
        } catch {
          return false; // the rule `rule-patterns` says so
        }
      })
      .map(({ id }) => ({ resource: id, problem: 'takes the events of orders in checkout: filter by data.process' }));
  },
};

const marked = new WeakMap<object, JsonValue[]>();

/** Made once: a template is checked thousands of times. */
function eventsInCheckout(exampleEvents: CompiledWorkspace['exampleEvents']): JsonValue[] {
  const known = marked.get(exampleEvents);
  if (known) return known;
  const events = exampleEvents
    .filter(({ hasProcess }) => hasProcess)
    // A rule may be for orders with a slot alone.
    .flatMap(({ event, withSlot }) => [event, withSlot ?? []].flat().map(markedAsCheckout));
  marked.set(exampleEvents, events);
  return events;
}

function markedAsCheckout(event: unknown): JsonValue {
  const detail = at(event, 'detail') as { data: object };
  return { ...(event as object), detail: { ...detail, data: { ...detail.data, process: 'checkout' } } } as JsonValue;
}
