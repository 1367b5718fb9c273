import { step } from '@millrace/steps';
import { notifyCancellationForCheckout } from '../../steps/index.ts';
import { customerMessagesFromEnvironment } from '../adapters/step-messages.ts';

const tell = customerMessagesFromEnvironment();

/** Tells the customer of a checkout that the order will not be delivered, and why. */
export const handler = step(notifyCancellationForCheckout, ({ order, cancellation }, context) =>
  tell({ detailType: 'OrderCancelled.v1', data: { ...order, ...cancellation } }, context),
);
