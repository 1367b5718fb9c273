import { DeliveryError, type RuleTarget } from '../services/events/index.ts';
import type { Fauxqs } from '../services/fauxqs/fauxqs.ts';
import { AwsError } from './aws-error.ts';

/** Where the events of a rule can go on this machine. */
export interface DeliveryTargets {
  fauxqs: Fauxqs;
  /** Why the rule may not do something with a queue or a topic; undefined when it may. */
  refusal: (access: { action: string; resource: string }) => string | undefined;
  /** Hands an event to a function without waiting for it; undefined when there is no such function. */
  invokeFunction: (functionArn: string, payload: string) => Promise<void> | undefined;
}

const DELIVERABLE = new Set(['sqs', 'sns', 'lambda']);

/** Whether events can be delivered to a target here. */
export function isDeliverable(targetArn: string): boolean {
  return DELIVERABLE.has(serviceOf(targetArn));
}

/**
 * Delivers one event to a rule's target.
 *
 * @throws DeliveryError with the code EventBridge gives: not to be retried when the target does not exist, may not be used
 *   or refuses the event
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
 */
export async function deliverToTarget(
  targets: DeliveryTargets,
  target: RuleTarget,
  payload: string,
  traceHeader?: string,
): Promise<void> {
  switch (serviceOf(target.Arn)) {
    case 'sqs':
      return sendToQueue(targets.fauxqs, target.Arn, payload, {
        messageGroupId: target.SqsParameters?.MessageGroupId,
        traceHeader,
        refusal: targets.refusal,
      });
    case 'sns':
      checkPermission(targets.refusal({ action: 'sns:Publish', resource: target.Arn }));
      await targets.fauxqs.sns('Publish', { TopicArn: target.Arn, Message: payload });
      return;
    case 'lambda': {
      const accepted = targets.invokeFunction(target.Arn, payload);
      if (!accepted) throw new DeliveryError('NO_RESOURCE', `There is no function ${target.Arn}`, false);
      return accepted;
    }
    default:
      throw new DeliveryError('NO_RESOURCE', `${target.Arn} cannot be delivered to on this machine`, false);
  }
}

/** What a message has beside its body. */
export interface MessageOptions {
  /** Message attributes, as strings. */
  attributes?: Record<string, string>;
  messageGroupId?: string | undefined;
  /** X-Ray's: the system attribute AWSTraceHeader. */
  traceHeader?: string | undefined;
  /** As of DeliveryTargets; without it, everything is allowed. */
  refusal?: DeliveryTargets['refusal'];
}

/**
 * Sends one message to a queue.
 *
 * @throws DeliveryError when the queue does not exist, may not be sent to or refuses the message
 */
export async function sendToQueue(
  { store, sqs }: Fauxqs,
  queueArn: string,
  body: string,
  { attributes = {}, messageGroupId, traceHeader, refusal }: MessageOptions = {},
): Promise<void> {
  const queue = store.getQueueByArn(queueArn);
  if (!queue) throw new DeliveryError('NO_RESOURCE', `There is no queue ${queueArn}`, false);
  checkPermission(refusal?.({ action: 'sqs:SendMessage', resource: queueArn }));
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  try {
    await sqs('SendMessage', {
      QueueUrl: queue.url,
      MessageBody: body,
      MessageAttributes,
      ...(messageGroupId !== undefined && { MessageGroupId: messageGroupId }),
      ...(traceHeader !== undefined && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } },
      }),
    });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new DeliveryError('INVALID_PARAMETER', error.message, error.status >= 500);
  }
}

function checkPermission(refusal: string | undefined): void {
  if (refusal !== undefined) throw new DeliveryError('NO_PERMISSIONS', refusal, false);
}

function serviceOf(arn: string): string {
  return arn.split(':')[2] ?? '';
}
