import { idempotencyMarks } from '@millrace/consumer/idempotency';
import type { StepContext } from '@millrace/steps';
import { messagesToCustomer, type Outcome } from '../domain/message.ts';
import { notifierFromEnvironment } from './notifier.ts';

/**
 * What tells customers of the end of a checkout, each message once for each step.
 * @returns sends the messages of an outcome; throws as `Notifier.send`
 * @throws ConfigurationError
 * @example const tell = customerMessagesFromEnvironment();
 */
export function customerMessagesFromEnvironment(): (outcome: Outcome, context: StepContext) => Promise<void> {
  const notifier = notifierFromEnvironment();
  const marks = idempotencyMarks();
  return (outcome, { inbox, lambda }) =>
    notifier.send(messagesToCustomer(outcome), {
      inbox,
      once: (channel, effect) => marks.runOnce(`${inbox.consumer}#${inbox.eventId}#${channel}`, lambda, effect),
    });
}
