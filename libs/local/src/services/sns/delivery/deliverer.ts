import type { Clock } from '../../../core/clock.ts';
import type { Deliver } from '../../../core/delivery.ts';
import { DurableDeliveries } from '../../../core/durable-deliveries.ts';
import type { CapturedMessage } from '../../../core/messages.ts';
import type { SendRequest } from '../../../core/outgoing-http.ts';
import { effectivePolicy } from '../delivery-policy.ts';
import type { SnsStore } from '../store/sns-store.ts';
import { confirmationUrl, lambdaEvent, type Notification, notificationDocument } from './notification.ts';
import { managedEndpoints, retryDelay } from './retry-policy.ts';
import type { MessageSigner } from './signer.ts';

export interface DelivererOptions {
  store: SnsStore;
  clock: Clock;
  origin: string;
  signer: MessageSigner;
  deliver: Deliver;
  send: SendRequest;
  capture: (message: Omit<CapturedMessage, 'id' | 'sentAt'>) => void;
  warn: (message: string) => void;
}

/** SNS waits for an answer for so long. https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html */
const TIMEOUT_MS = 15_000;

/** SQS takes no more of them. https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html */
const RAW_ATTRIBUTES = 10;

/** An attempt that is the last. */
class PermanentFailure extends Error {
  readonly retryable = false;
}

/** Delivers messages to subscriptions, each at least once, until it arrives or its policy is exhausted. */
export class Deliverer implements AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #deliveries: DurableDeliveries<Notification>;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#deliveries = new DurableDeliveries<Notification>({
      database: options.store.database,
      clock: options.clock,
      warn: options.warn,
      attempt: (notification, signal) => this.#attempt(notification, signal),
      retryAfter: (failures, { protocol, deliveryPolicy }) =>
        retryDelay(
          protocol.startsWith('http') ? effectivePolicy(deliveryPolicy).healthyRetryPolicy : managedEndpoints,
          failures,
        ),
      giveUp: (notification, error) => this.#giveUp(notification, error),
    });
  }

  start(): void {
    this.#deliveries.start();
  }

  /** Called in the transaction that takes the message. */
  add(notification: Notification): void {
    // The order of a FIFO topic is that of a group, for each subscription.
    const { groupId, sequenceNumber, subscriptionArn } = notification;
    this.#deliveries.add(notification, sequenceNumber === undefined ? undefined : `${subscriptionArn}/${groupId}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deliveries[Symbol.asyncDispose]();
  }

  async #attempt(notification: Notification, signal: AbortSignal): Promise<void> {
    const { deliver, store, capture, origin } = this.#options;
    const { protocol, endpoint, topicArn, type, subscriptionArn, token } = notification;
    // It may have been ended since.
    if (!store.subscription(subscriptionArn)) return;
    const sender = { service: 'sns.amazonaws.com', sourceArn: topicArn };
    switch (protocol) {
      case 'sqs':
        return this.#toQueue(endpoint, notification);
      case 'lambda':
        return deliver(endpoint, lambdaEvent(notification, this.#options), { sender });
      case 'http':
      case 'https':
        return this.#toHttp(notification, signal);
      case 'sms':
        capture({ kind: 'sms', to: [endpoint], text: notification.text });
        return;
      default: {
        const isConfirmation = type === 'SubscriptionConfirmation' && token !== undefined;
        const text =
          protocol === 'email-json'
            ? notificationDocument(notification, this.#options)
            : isConfirmation
              ? `${notification.text}\n${confirmationUrl(origin, topicArn, token)}`
              : notification.text;
        const subject = isConfirmation
          ? 'AWS Notification - Subscription Confirmation'
          : (notification.subject ?? 'AWS Notification Message');
        capture({ kind: 'email', to: [endpoint], from: 'no-reply@sns.amazonaws.com', subject, text });
      }
    }
  }

  #toQueue(queueArn: string, notification: Notification): Promise<void> {
    const { raw, text, attributes, groupId, deduplicationId, topicArn } = notification;
    if (raw && Object.keys(attributes).length > RAW_ATTRIBUTES) {
      throw new PermanentFailure('A message with more than 10 attributes cannot be delivered raw to a queue');
    }
    return this.#options.deliver(queueArn, raw ? text : notificationDocument(notification, this.#options), {
      sender: { service: 'sns.amazonaws.com', sourceArn: topicArn },
      ...(raw && Object.keys(attributes).length > 0 && { messageAttributes: attributes }),
      messageGroupId: groupId,
      messageDeduplicationId: queueArn.endsWith('.fifo') ? deduplicationId : undefined,
    });
  }

  /** https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html */
  async #toHttp(notification: Notification, signal: AbortSignal): Promise<void> {
    const { type, messageId, topicArn, subscriptionArn, raw, text, endpoint, deliveryPolicy } = notification;
    const isRaw = raw && type === 'Notification';
    const { requestPolicy } = effectivePolicy(deliveryPolicy);
    const headers = {
      'x-amz-sns-message-type': type,
      'x-amz-sns-message-id': messageId,
      'x-amz-sns-topic-arn': topicArn,
      ...(type === 'Notification' && { 'x-amz-sns-subscription-arn': subscriptionArn }),
      ...(isRaw && { 'x-amz-sns-rawdelivery': 'true' }),
      'content-type': requestPolicy?.headerContentType ?? 'text/plain; charset=UTF-8',
      'user-agent': 'Amazon Simple Notification Service Agent',
    };
    const body = isRaw ? text : notificationDocument(notification, this.#options);
    const url = new URL(endpoint);
    const { status } = await this.#options.send({ method: 'POST', url, headers, body, timeout: TIMEOUT_MS, signal });
    if (status >= 200 && status < 300) return;
    const message = `The endpoint has answered with the status ${status}`;
    // Errors of the receiver that trying again would not change.
    throw status >= 500 || status === 429 ? new Error(message) : new PermanentFailure(message);
  }

  /** https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html */
  async #giveUp(notification: Notification, error: Error): Promise<void> {
    const { redrivePolicy, subscriptionArn, type } = notification;
    const target = redrivePolicy === undefined ? undefined : String(JSON.parse(redrivePolicy).deadLetterTargetArn);
    if (target !== undefined && type === 'Notification') {
      try {
        await this.#toQueue(target, notification);
        return;
      } catch (redriveError) {
        const reason = (redriveError as Error).message;
        this.#options.warn(
          `A message for ${subscriptionArn} could not be sent to its dead-letter queue ${target}: ${reason}`,
        );
      }
    }
    this.#options.warn(`A message for ${subscriptionArn} is lost, as it could not be delivered: ${error.message}`);
  }
}
