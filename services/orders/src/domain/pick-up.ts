/** Where and when an order is picked up. */
export interface PickUpPlace {
  location: { id: string; name: string; timeZone: string };
  startsAt: string;
  endsAt: string;
}

/** Why an order does not get the slot that it names. */
export type SlotRefusal = 'SLOT_NOT_FOUND' | 'RESERVATION_NOT_FOUND' | 'RESERVATION_UNATTENDED' | 'SLOT_HAS_ORDER';

/** Why an order was not picked up. */
export type PickUpFailure = 'UNATTENDED' | 'CANCELLED' | 'CLOSED' | 'CHECKED_OUT';

/** How far the pick-up of an order is. */
export type PickUpStatus = 'REQUESTED' | 'READY' | 'HANDED_OVER' | 'SWITCHED_TO_DELIVERY';

/** What an order knows that may be picked up. */
interface PickUpOrder {
  snapshot: { slotId?: string | undefined };
  status: 'PLACED' | 'CONFIRMED' | 'CANCELLED';
  /** The kinds of reports that are on record. */
  recorded: ReadonlySet<string>;
  handedOver?: boolean;
  pickUpFailure?: PickUpFailure;
  switchedToDelivery?: boolean;
}

/** What an order decides about its pick-up. */
export type PickUpEvent =
  /** Its customer has picked it up. */
  | { type: 'OrderHandedOver' }
  /** It was not picked up, so it is sent. */
  | { type: 'OrderSwitchedToDelivery' };

/** What the customer reads of a refusal. */
export const slotRefusalDetails: Readonly<Record<SlotRefusal, string>> = {
  SLOT_NOT_FOUND: 'There is no such pick-up slot',
  RESERVATION_NOT_FOUND: 'You have no reservation of the pick-up slot',
  RESERVATION_UNATTENDED: 'Your reservation of the pick-up slot has ended',
  SLOT_HAS_ORDER: 'You pick up another order in this slot',
};

/**
 * What follows from the reports on record. They come in any order, so each conclusion waits for all that it needs: only a confirmed order is
 * handed over, and a letter about a slot needs its place and time.
 */
export function pickUpConclusions({ snapshot, status, recorded, ...order }: PickUpOrder): readonly PickUpEvent[] {
  if (snapshot.slotId === undefined || !recorded.has('SlotAssigned')) return [];
  if (status === 'CONFIRMED' && recorded.has('PickUpHandedOver') && !order.handedOver) {
    return [{ type: 'OrderHandedOver' }];
  }
  if (recorded.has('PickUpFailed') && !order.switchedToDelivery) {
    return [{ type: 'OrderSwitchedToDelivery' }];
  }
  return [];
}

/** How far the pick-up is; undefined for an order without a slot, and for one that is cancelled. */
export function pickUpStatusOf({ snapshot, status, recorded, ...order }: PickUpOrder): PickUpStatus | undefined {
  if (snapshot.slotId === undefined || status === 'CANCELLED') return undefined;
  if (order.pickUpFailure) return 'SWITCHED_TO_DELIVERY';
  if (order.handedOver) return 'HANDED_OVER';
  return status === 'CONFIRMED' ? 'READY' : 'REQUESTED';
}
