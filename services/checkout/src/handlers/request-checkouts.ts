import { tableFromEnvironment } from '@millrace/event-store';
import { shownIdentifier } from '@millrace/privacy';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import * as z from 'zod';
import { checkoutRequest } from '../../requests/index.ts';
import { Checkouts, checkoutProcessFromEnvironment } from '../adapters/checkouts.ts';

const checkouts = new Checkouts(tableFromEnvironment());
const process = checkoutProcessFromEnvironment();
const batch = z.array(z.looseObject({ messageId: checkoutRequest.shape.messageId }));

/**
 * The target of pipes: asks for the checkout of each order, as `POST /checkouts` does. An order that comes again changes nothing.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
 *
 * @param event the requests of a batch, see `checkoutRequest`
 * @returns the messages that have to come again, by their ids
 * @throws ZodError for anything but a list of requests that name their messages: then the whole batch comes again
 */
export async function handler(event: unknown, context: Context): Promise<SQSBatchResponse> {
  const requests = batch.parse(event);
  const outcomes = await withinInvocation(context, () => Promise.allSettled(requests.map(request)));
  const failures = requests.flatMap(({ messageId }, index) => {
    const outcome = outcomes[index];
    if (outcome?.status !== 'rejected') return [];
    logger.error('Checkout could not be requested', { message_id: shownIdentifier(messageId), error: outcome.reason });
    return [{ itemIdentifier: messageId }];
  });
  return { batchItemFailures: failures };
}

async function request(given: unknown): Promise<void> {
  const { messageId, order } = checkoutRequest.parse(given);
  await checkouts.request(order, process, { correlationId: order.orderId });
  logger.info('Checkout requested', {
    message_id: shownIdentifier(messageId),
    checkout_id: shownIdentifier(order.orderId),
  });
}
