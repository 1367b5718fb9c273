import { relay } from '@millrace/event-store';
import { PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated } from '../../events/index.ts';

/** Emits fulfillment's events from the table's stream, and their analytics variants. */
export const handler = relay([PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated]);
