import { relay } from '@millrace/event-store';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../../events/index.ts';

/** Emits the orders' own events from the table's stream, and their analytics variants. */
export const handler = relay([OrderCancelled, OrderConfirmed, OrderHandedOver, OrderPlaced, OrderSwitchedToDelivery]);
