import { CheckoutApprovalRequested, StartCheckout } from '@millrace/checkout/events';
import type { EventContract } from '@millrace/events';
import { PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated } from '@millrace/fulfillment/events';
import {
  StockCounted,
  StockRanLow,
  StockReleased,
  StockReservationFailed,
  StockReserved,
} from '@millrace/inventory/events';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
  OrderTimeLimitReached,
} from '@millrace/orders/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import {
  ReservationTimeLimitReached,
  SlotAssigned,
  SlotAssignmentRefused,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
} from '@millrace/reservations/events';

/** Every contract of the category `domain`, also those that another one upcasts: an event is kept in its own version. */
export const loggedContracts: readonly EventContract[] = [
  OrderPlaced,
  OrderConfirmed,
  OrderCancelled,
  OrderHandedOver,
  OrderSwitchedToDelivery,
  OrderTimeLimitReached,
  StockReserved,
  StockReservationFailed,
  StockReleased,
  StockRanLow,
  StockCounted,
  PaymentProcessed,
  PaymentFailed,
  PaymentRefunded,
  ShipmentCreated,
  PickUpReady,
  PickUpHandedOver,
  PickUpFailed,
  StartCheckout,
  CheckoutApprovalRequested,
  SlotCreated,
  SlotReserved,
  SlotAssigned,
  SlotAssignmentRefused,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotCancelled,
  SlotUnattended,
  SlotClosed,
  SlotReopened,
  ReservationTimeLimitReached,
];
