import { createShipmentForCheckout, recallShipmentForCheckout } from '@millrace/fulfillment/steps';
import { releaseStockForCheckout, reserveStockForCheckout } from '@millrace/inventory/steps';
import { notifyCancellationForCheckout, sendConfirmationForCheckout } from '@millrace/notifications/steps';
import type { cancellationReason } from '@millrace/orders/events';
import {
  cancelOrderForCheckout,
  confirmOrderForCheckout,
  lockOrderForCheckout,
  placeOrderForCheckout,
} from '@millrace/orders/steps';
import { processPaymentForCheckout, refundPaymentForCheckout } from '@millrace/payments/steps';
import type { StepContract } from '@millrace/steps';
import type * as z from 'zod';
import { requestApproval } from '../../steps/index.ts';

/** Why a checkout is undone; `detail` is for the customer. */
export interface Cancellation {
  reason: z.output<typeof cancellationReason>;
  detail: string;
}

/** How often and how soon a step is tried again, with full jitter and a delay that doubles. */
export interface Retries {
  maximum: number;
  firstDelaySeconds: number;
  longestDelaySeconds: number;
}

const soon: Retries = { maximum: 4, firstDelaySeconds: 1, longestDelaySeconds: 30 };
/** Outlasts a short outage of the payment provider. */
const throughOutage: Retries = { maximum: 8, firstDelaySeconds: 2, longestDelaySeconds: 60 };
/** There is no way around it: the checkout stops if it fails. */
const mustSucceed: Retries = { maximum: 10, firstDelaySeconds: 1, longestDelaySeconds: 300 };

/** How long a checkout may take. It is the `executionTimeout` of serverless.yml. */
export const CHECKOUT_SECONDS = 2 * 24 * 60 * 60;

/**
 * The steps of a checkout by their states, as checkout.asl.json has them: a test compares the two. Idempotency keys contain
 * these names, so both forms of the process have the same keys.
 */
export const sagaSteps = {
  PlaceOrder: { contract: placeOrderForCheckout, retries: soon },
  ReserveInventory: { contract: reserveStockForCheckout, retries: soon },
  RequestApproval: { contract: requestApproval, retries: soon },
  LockOrder: { contract: lockOrderForCheckout, retries: soon },
  ProcessPayment: { contract: processPaymentForCheckout, retries: throughOutage },
  CreateShipment: { contract: createShipmentForCheckout, retries: soon },
  ConfirmOrder: { contract: confirmOrderForCheckout, retries: mustSucceed },
  SendConfirmation: { contract: sendConfirmationForCheckout, retries: mustSucceed },
  RecallShipment: { contract: recallShipmentForCheckout, retries: mustSucceed },
  RefundPayment: { contract: refundPaymentForCheckout, retries: mustSucceed },
  ReleaseInventory: { contract: releaseStockForCheckout, retries: mustSucceed },
  CancelOrder: { contract: cancelOrderForCheckout, retries: mustSucceed },
  NotifyOutOfStock: { contract: notifyCancellationForCheckout, retries: mustSucceed },
  NotifyPaymentFailed: { contract: notifyCancellationForCheckout, retries: mustSucceed },
  NotifyOrderCancelled: { contract: notifyCancellationForCheckout, retries: mustSucceed },
} as const satisfies Record<string, { contract: StepContract; retries: Retries }>;

export type SagaState = keyof typeof sagaSteps;

/** What undoes a checkout, in its order. */
export const compensations = ['RecallShipment', 'RefundPayment', 'ReleaseInventory', 'CancelOrder'] as const;
type Compensation = (typeof compensations)[number];

/** Where the way back begins, and why; without a `detail` the customer is told what the owner of the step said. */
interface WayBack {
  from: Compensation;
  reason: Cancellation['reason'];
  detail?: string;
}

const broken = { reason: 'TECHNICAL_FAILURE', detail: 'The order could not be processed' } as const;

/**
 * The way back from each step that can be undone, by the name of its error. A step that refuses has done nothing; after any other
 * error, `*`, its outcome is unknown, so it is undone as well.
 */
export const waysBack: Readonly<Partial<Record<SagaState, Readonly<Record<string, WayBack>>>>> = {
  ReserveInventory: {
    InsufficientInventory: { from: 'CancelOrder', reason: 'OUT_OF_STOCK' },
    '*': { from: 'ReleaseInventory', ...broken },
  },
  RequestApproval: {
    ApprovalRefused: { from: 'ReleaseInventory', reason: 'NOT_APPROVED', detail: 'The order was not approved' },
    ApprovalTimedOut: {
      from: 'ReleaseInventory',
      reason: 'NOT_APPROVED',
      detail: 'The order was not approved in time',
    },
    '*': { from: 'ReleaseInventory', ...broken },
  },
  LockOrder: {
    CancellationRequested: {
      from: 'ReleaseInventory',
      reason: 'CUSTOMER_REQUEST',
      detail: 'Cancelled at your request',
    },
    '*': { from: 'ReleaseInventory', ...broken },
  },
  ProcessPayment: {
    PaymentFailed: { from: 'ReleaseInventory', reason: 'PAYMENT_FAILED' },
    '*': { from: 'RefundPayment', ...broken },
  },
  CreateShipment: { '*': { from: 'RecallShipment', ...broken } },
};

/**
 * The compensations that a failed step needs, and why the order is cancelled.
 * @returns undefined for a step that has no way back: the checkout stops there
 * @example wayBackFrom('ProcessPayment', { name: 'PaymentFailed', message: 'expired card' })?.cancellation.reason; // 'PAYMENT_FAILED'
 */
export function wayBackFrom(
  state: SagaState,
  { name = '*', message }: { name: string | undefined; message: string },
): { undo: readonly Compensation[]; cancellation: Cancellation } | undefined {
  const way = waysBack[state]?.[name] ?? waysBack[state]?.['*'];
  if (!way) return undefined;
  const { from, reason, detail = message } = way;
  return { undo: compensations.slice(compensations.indexOf(from)), cancellation: { reason, detail } };
}

/** The step that tells the customer that an order was cancelled. */
export function notificationOf({ reason }: Cancellation) {
  if (reason === 'OUT_OF_STOCK') return 'NotifyOutOfStock';
  if (reason === 'PAYMENT_FAILED') return 'NotifyPaymentFailed';
  return 'NotifyOrderCancelled';
}
