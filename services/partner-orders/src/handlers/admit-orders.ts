import { sqs } from '@millrace/aws';
import type { CheckoutRequest } from '@millrace/checkout/requests';
import { variableFrom } from '@millrace/errors';
import { tableFromEnvironment } from '@millrace/event-store';
import { contactPolicyFrom } from '@millrace/orders/requests';
import { publishMetrics } from '@millrace/telemetry';
import type { SQSRecord } from 'aws-lambda';
import { Claims } from '../adapters/claims.ts';
import { DeadLetterQueue } from '../adapters/dead-letter-queue.ts';
import { Intake } from '../adapters/intake.ts';
import { partnerFrom } from '../domain/partner.ts';

const partner = partnerFrom(variableFrom('MILLRACE_PARTNER', 'the name of a partner'));
const now = () => new Date();
const intake = new Intake({
  partner,
  contactPolicy: contactPolicyFrom(),
  claims: new Claims(tableFromEnvironment(), now),
  deadLetters: new DeadLetterQueue(sqs(), {
    consumer: `partner-orders.${partner.name}`,
    queueUrl: variableFrom('MILLRACE_CONSUMER_QUEUE_URL', 'the URL of the queue that the pipe reads'),
    deadLetterQueueUrl: variableFrom('MILLRACE_CONSUMER_DLQ_URL', "the URL of that queue's dead-letter queue"),
    now,
  }),
});

/**
 * The enrichment of a partner's pipe: makes orders for the checkout of the partner's messages.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
 *
 * @param records the messages of a batch, as the pipe reads them
 * @returns an empty list when all were refused: then the pipe calls no target
 */
export async function handler(records: readonly SQSRecord[]): Promise<CheckoutRequest[]> {
  try {
    return await intake.admit(records);
  } finally {
    publishMetrics();
  }
}
