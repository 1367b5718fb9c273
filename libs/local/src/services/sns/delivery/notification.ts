import type { MessageAttribute } from '../../../core/delivery.ts';
import type { MessageSigner, MessageType } from './signer.ts';

/** One message for one subscription, as it waits to be delivered. */
export interface Notification {
  type: MessageType;
  subscriptionArn: string;
  topicArn: string;
  protocol: string;
  endpoint: string;
  messageId: string;
  /** Milliseconds since 1970. */
  time: number;
  text: string;
  subject?: string | undefined;
  attributes: Record<string, MessageAttribute>;
  raw: boolean;
  signatureVersion: '1' | '2';
  groupId?: string | undefined;
  deduplicationId?: string | undefined;
  sequenceNumber?: string | undefined;
  /** Of a confirmation. */
  token?: string;
  /** Attributes of the subscription that say how it is delivered, and what happens when it cannot be. */
  deliveryPolicy?: string | undefined;
  redrivePolicy?: string | undefined;
}

export interface NotificationUrls {
  /** `http://127.0.0.1:4566` */
  origin: string;
  signer: MessageSigner;
}

/** The URL that confirms a subscription. https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html */
export function confirmationUrl(origin: string, topicArn: string, token: string): string {
  return `${origin}/?${new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topicArn, Token: token })}`;
}

function unsubscribeUrl(origin: string, subscriptionArn: string): string {
  return `${origin}/?${new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: subscriptionArn })}`;
}

/**
 * The JSON that queues and HTTP endpoints get.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
 */
export function notificationDocument(notification: Notification, { origin, signer }: NotificationUrls): string {
  const { type, messageId, topicArn, subject, text, token, sequenceNumber, attributes, signatureVersion } =
    notification;
  const isNotification = type === 'Notification';
  const message = {
    Type: type,
    MessageId: messageId,
    ...(token !== undefined && { Token: token }),
    ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: text,
    ...(token !== undefined && { SubscribeURL: confirmationUrl(origin, topicArn, token) }),
    Timestamp: new Date(notification.time).toISOString(),
  };
  const names = Object.keys(attributes);
  const document = {
    ...message,
    ...signer.sign(message, signatureVersion),
    ...(isNotification && { UnsubscribeURL: unsubscribeUrl(origin, notification.subscriptionArn) }),
    ...(isNotification && names.length > 0 && { MessageAttributes: attributesDocument(attributes) }),
  };
  return JSON.stringify(document, null, 2);
}

/**
 * The event that functions get.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
 */
export function lambdaEvent(notification: Notification, { origin, signer }: NotificationUrls): string {
  const { messageId, topicArn, subject, text, time, attributes, signatureVersion, subscriptionArn } = notification;
  const message = {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: text,
    Timestamp: new Date(time).toISOString(),
  } as const;
  const { SigningCertURL, ...signature } = signer.sign(message, signatureVersion) as Record<string, string>;
  const record = {
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: subscriptionArn,
    Sns: {
      ...message,
      Subject: subject ?? null,
      ...signature,
      SigningCertUrl: SigningCertURL,
      UnsubscribeUrl: unsubscribeUrl(origin, subscriptionArn),
      MessageAttributes: attributesDocument(attributes),
    },
  };
  return JSON.stringify({ Records: [record] });
}

function attributesDocument(attributes: Readonly<Record<string, MessageAttribute>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: StringValue ?? BinaryValue },
    ]),
  );
}
