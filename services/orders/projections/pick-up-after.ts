import type { EventOf } from '@millrace/events';
import type {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../events/index.ts';
import type { PickUpStatus } from '../src/domain/pick-up.ts';

type OrderEvent = EventOf<
  | typeof OrderCancelled
  | typeof OrderConfirmed
  | typeof OrderHandedOver
  | typeof OrderPlaced
  | typeof OrderSwitchedToDelivery
>;

/**
 * How far the pick-up of an order is after one of its events, as a field of a row.
 * @returns an empty object for an order without a slot, and for one that is cancelled
 */
export function pickUpAfter(
  row: { pickUp?: PickUpStatus } | undefined,
  { detailType, data }: OrderEvent,
): { pickUp?: PickUpStatus } {
  switch (detailType) {
    case 'OrderPlaced.v1':
      return data.slotId === undefined ? {} : { pickUp: 'REQUESTED' };
    case 'OrderConfirmed.v1':
      if (data.pickUp) return { pickUp: 'READY' };
      // It may have switched to delivery before it was confirmed.
      return row?.pickUp ? { pickUp: row.pickUp } : {};
    case 'OrderHandedOver.v1':
      return { pickUp: 'HANDED_OVER' };
    case 'OrderSwitchedToDelivery.v1':
      return { pickUp: 'SWITCHED_TO_DELIVERY' };
    case 'OrderCancelled.v1':
      return {};
  }
}
