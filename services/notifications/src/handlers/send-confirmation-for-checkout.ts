import { step } from '@millrace/steps';
import { sendConfirmationForCheckout } from '../../steps/index.ts';
import { customerMessagesFromEnvironment } from '../adapters/step-messages.ts';

const tell = customerMessagesFromEnvironment();

/** Tells the customer of a checkout that the order will be delivered. */
export const handler = step(sendConfirmationForCheckout, ({ order, trackingNumber }, context) =>
  tell({ detailType: 'OrderConfirmed.v1', data: { ...order, trackingNumber } }, context),
);
