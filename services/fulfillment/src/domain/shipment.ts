/** Where the goods of an order go. */
export interface Address {
  line1: string;
  line2?: string | undefined;
  city: string;
  postalCode: string;
  country: string;
}

export interface ShipmentLine {
  sku: string;
  quantity: number;
  unitPrice: number;
}

/** The goods of an order, and where they go unless they are picked up. */
export interface Goods {
  shipmentId: string;
  shippingAddress: Address;
  lines: ShipmentLine[];
}

export interface Parcel extends Goods {
  trackingNumber: string;
}

/** Goods that are picked up in a slot. */
export interface PickUp extends Goods {
  slotId: string;
}

/** Why goods are not picked up. Their order was not cancelled: they are sent. */
export type PickUpFailure = 'UNATTENDED' | 'CANCELLED' | 'CLOSED' | 'CHECKED_OUT';

/**
 * What became of an order's shipment. CANCELLED without a parcel: the order was cancelled before it was paid, so that a
 * late PaymentProcessed must not ship anything. AWAITED: its slot had news before it was paid.
 */
export type Shipment =
  | { status: 'CREATED'; parcel: Parcel }
  | { status: 'CANCELLED'; parcel?: Parcel; pickUp?: PickUp }
  | { status: 'AWAITED'; checkedIn?: boolean; pickUpFailed?: boolean }
  | { status: 'READY'; pickUp: PickUp; checkedIn?: boolean; confirmed?: boolean }
  | { status: 'HANDED_OVER'; pickUp: PickUp };

export type ShipmentCommand =
  /** Without a slot it is sent. */
  | { type: 'Ship'; shipmentId: string; shippingAddress: Address; lines: ShipmentLine[]; slotId?: string | undefined }
  | { type: 'Recall' }
  /** The order can no longer be cancelled. */
  | { type: 'ConfirmOrder' }
  /** The customer is there. */
  | { type: 'CheckIn' }
  /** The reservation has ended in another way than by its order's cancellation. */
  | { type: 'EndReservation'; slotId: string; reason: PickUpFailure };

export type ShipmentEvent =
  | { type: 'ShipmentCreated'; parcel: Parcel }
  | { type: 'PickUpReady'; pickUp: PickUp }
  /** On record until the goods lie ready and their order is confirmed. */
  | { type: 'CustomerCheckedIn' }
  | { type: 'OrderConfirmed' }
  | { type: 'PickUpHandedOver' }
  | { type: 'PickUpFailed'; slotId: string; reason: PickUpFailure }
  /** What lies in the warehouse does not leave it. */
  | { type: 'ShipmentRecalled' }
  /** There is nothing to recall, and there never will be. */
  | { type: 'ShipmentForestalled' };

/**
 * What follows from a command. An order is shipped once, and never after it was cancelled. Goods are handed over or sent, never both,
 * and handed over only when their order is confirmed: until then it may be cancelled and its money returned.
 */
export function decide(command: ShipmentCommand, shipment: Shipment | undefined): readonly ShipmentEvent[] {
  switch (command.type) {
    case 'Ship':
      return ship(command, shipment);
    case 'Recall':
      return recall(shipment);
    case 'ConfirmOrder':
      if (shipment?.status !== 'READY' || shipment.confirmed) return [];
      return [{ type: 'OrderConfirmed' }, ...(shipment.checkedIn ? handedOver : [])];
    case 'CheckIn':
      return checkIn(shipment);
    case 'EndReservation':
      return endReservation(command, shipment);
  }
}

const handedOver = [{ type: 'PickUpHandedOver' }] as const satisfies readonly ShipmentEvent[];

function ship(
  { shipmentId, shippingAddress, lines, slotId }: Extract<ShipmentCommand, { type: 'Ship' }>,
  shipment: Shipment | undefined,
): readonly ShipmentEvent[] {
  if (shipment && shipment.status !== 'AWAITED') return [];
  const goods = { shipmentId, shippingAddress, lines };
  if (slotId === undefined || shipment?.pickUpFailed) return [{ type: 'ShipmentCreated', parcel: parcelOf(goods) }];
  return [{ type: 'PickUpReady', pickUp: { ...goods, slotId } }];
}

function recall(shipment: Shipment | undefined): readonly ShipmentEvent[] {
  switch (shipment?.status) {
    case undefined:
    case 'AWAITED':
      return [{ type: 'ShipmentForestalled' }];
    case 'CREATED':
    case 'READY':
      return [{ type: 'ShipmentRecalled' }];
    case 'CANCELLED':
    case 'HANDED_OVER':
      return [];
  }
}

function checkIn(shipment: Shipment | undefined): readonly ShipmentEvent[] {
  if (!shipment) return [{ type: 'CustomerCheckedIn' }];
  if (shipment.status === 'AWAITED') {
    return shipment.checkedIn || shipment.pickUpFailed ? [] : [{ type: 'CustomerCheckedIn' }];
  }
  if (shipment.status !== 'READY') return [];
  if (shipment.confirmed) return handedOver;
  return shipment.checkedIn ? [] : [{ type: 'CustomerCheckedIn' }];
}

/** A customer who has checked out, and for whom the goods lay ready, has taken them: the check-in is on its way. */
function endReservation(
  { slotId, reason }: Extract<ShipmentCommand, { type: 'EndReservation' }>,
  shipment: Shipment | undefined,
): readonly ShipmentEvent[] {
  const failed: ShipmentEvent = { type: 'PickUpFailed', slotId, reason };
  if (!shipment) return [failed];
  if (shipment.status === 'AWAITED') return shipment.pickUpFailed ? [] : [failed];
  if (shipment.status !== 'READY') return [];
  if (reason === 'CHECKED_OUT') return checkIn(shipment);
  const { slotId: _, ...goods } = shipment.pickUp;
  return [failed, { type: 'ShipmentCreated', parcel: parcelOf(goods) }];
}

/** The state after one more event. */
export function evolve(shipment: Shipment | undefined, event: ShipmentEvent): Shipment {
  switch (event.type) {
    case 'ShipmentCreated':
      return { status: 'CREATED', parcel: event.parcel };
    case 'PickUpReady': {
      const checkedIn = shipment?.status === 'AWAITED' && shipment.checkedIn;
      return { status: 'READY', pickUp: event.pickUp, ...(checkedIn && { checkedIn }) };
    }
    case 'CustomerCheckedIn':
      return shipment?.status === 'READY' ? { ...shipment, checkedIn: true } : { status: 'AWAITED', checkedIn: true };
    case 'OrderConfirmed':
      return { ...readied(shipment), confirmed: true };
    case 'PickUpHandedOver':
      return { status: 'HANDED_OVER', pickUp: readied(shipment).pickUp };
    case 'PickUpFailed':
      // Of goods that lie ready, ShipmentCreated follows.
      return shipment?.status === 'READY' ? shipment : { status: 'AWAITED', pickUpFailed: true };
    case 'ShipmentRecalled': {
      const { parcel, pickUp } = shipment as { parcel?: Parcel; pickUp?: PickUp };
      return { status: 'CANCELLED', ...(parcel && { parcel }), ...(pickUp && { pickUp }) };
    }
    case 'ShipmentForestalled':
      return { status: 'CANCELLED' };
  }
}

function readied(shipment: Shipment | undefined): Extract<Shipment, { status: 'READY' }> {
  if (shipment?.status !== 'READY') throw new Error('The goods do not lie ready');
  return shipment;
}

function parcelOf(goods: Goods): Parcel {
  return { ...goods, trackingNumber: trackingNumberOf(goods.shipmentId) };
}

/** The number on the parcel: `MR` and the first 16 hexadecimal digits of the shipment's UUID. */
export function trackingNumberOf(shipmentId: string): string {
  return `MR${shipmentId.replaceAll('-', '').slice(0, 16).toUpperCase()}`;
}
