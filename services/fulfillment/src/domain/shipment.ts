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

export interface Parcel {
  shipmentId: string;
  trackingNumber: string;
  shippingAddress: Address;
  lines: ShipmentLine[];
}

/**
 * What became of an order's shipment. CANCELLED without a parcel: the order was cancelled before it was paid, so that a
 * late PaymentProcessed must not ship anything.
 */
export type Shipment = { status: 'CREATED'; parcel: Parcel } | { status: 'CANCELLED'; parcel?: Parcel };

export type ShipmentCommand =
  | { type: 'Ship'; shipmentId: string; shippingAddress: Address; lines: ShipmentLine[] }
  | { type: 'Recall' };

export type ShipmentEvent =
  | { type: 'ShipmentCreated'; parcel: Parcel }
  /** A parcel that exists does not leave the warehouse. */
  | { type: 'ShipmentRecalled' }
  /** There is no parcel, and there never will be. */
  | { type: 'ShipmentForestalled' };

/** What follows from a command: one event or nothing. An order is shipped once, and never after it was cancelled. */
export function decide(command: ShipmentCommand, shipment: Shipment | undefined): readonly ShipmentEvent[] {
  switch (command.type) {
    case 'Ship': {
      if (shipment) return [];
      const { shipmentId, shippingAddress, lines } = command;
      const parcel = { shipmentId, trackingNumber: trackingNumberOf(shipmentId), shippingAddress, lines };
      return [{ type: 'ShipmentCreated', parcel }];
    }
    case 'Recall':
      if (!shipment) return [{ type: 'ShipmentForestalled' }];
      return shipment.status === 'CREATED' ? [{ type: 'ShipmentRecalled' }] : [];
  }
}

/** The state after one more event. */
export function evolve(shipment: Shipment | undefined, event: ShipmentEvent): Shipment {
  switch (event.type) {
    case 'ShipmentCreated':
      return { status: 'CREATED', parcel: event.parcel };
    case 'ShipmentRecalled':
      return { ...shipment, status: 'CANCELLED' };
    case 'ShipmentForestalled':
      return { status: 'CANCELLED' };
  }
}

/** The number on the parcel: `MR` and the first 16 hexadecimal digits of the shipment's UUID. */
export function trackingNumberOf(shipmentId: string): string {
  return `MR${shipmentId.replaceAll('-', '').slice(0, 16).toUpperCase()}`;
}
