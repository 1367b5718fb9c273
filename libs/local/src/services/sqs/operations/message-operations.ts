import { isSettableAttribute } from '../attributes/queue-attributes.ts';
import { sequenceNumber } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { attributesMd5 } from '../messages/md5.ts';
import { checkSystemAttributes } from '../messages/message-attributes.ts';
import { draftMessage, type GivenMessage } from '../messages/message-draft.ts';
import { changeVisibility, deleteMessage } from '../messages/receipts.ts';
import { receiveMessages } from '../messages/receive.ts';
import { checkSystemAttributeNames, type ReceivedMessage, showMessage } from '../messages/received-message.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory, SqsCaller } from '../queue-directory.ts';

const ATTEMPT_ID = /^[A-Za-z0-9!-/:-@[-`{-~]{1,128}$/;

/** What SendMessage answers. */
export interface SentMessage {
  MessageId: string;
  MD5OfMessageBody: string;
  MD5OfMessageAttributes?: string;
  MD5OfMessageSystemAttributes?: string;
  SequenceNumber?: string;
}

/** The operations on single messages. */
export function messageOperations(directory: QueueDirectory) {
  return {
    SendMessage({ QueueUrl, ...given }: InputOf<'SendMessage'>, caller: SqsCaller): SentMessage {
      return sendMessage(directory.find(QueueUrl), given, caller.senderId ?? directory.accountId);
    },

    async ReceiveMessage(
      input: InputOf<'ReceiveMessage'>,
      _caller: SqsCaller,
      signal?: AbortSignal,
    ): Promise<{ Messages?: ReceivedMessage[] }> {
      const queue = directory.find(input.QueueUrl);
      const { AttributeNames = [], MessageSystemAttributeNames = [], MessageAttributeNames = [] } = input;
      // The older parameter also takes the names of queue attributes, which no message has.
      const system = [...AttributeNames.filter((name) => !isSettableAttribute(name)), ...MessageSystemAttributeNames];
      checkSystemAttributeNames(system);
      const messages = await receiveMessages(queue, { ...receiveOptions(queue, input), signal });
      if (messages.length === 0) return {};
      const wanted = { system, message: MessageAttributeNames };
      return { Messages: messages.map((message) => showMessage(message, queue, wanted)) };
    },

    DeleteMessage({ QueueUrl, ReceiptHandle }: InputOf<'DeleteMessage'>) {
      deleteMessage(directory.find(QueueUrl), ReceiptHandle);
      return {};
    },

    ChangeMessageVisibility(input: InputOf<'ChangeMessageVisibility'>) {
      changeVisibility(directory.find(input.QueueUrl), input.ReceiptHandle, input.VisibilityTimeout);
      return {};
    },
  };
}

/** Sends a message to a queue. @throws AwsError as `draftMessage` does */
export function sendMessage(queue: Queue, given: GivenMessage, senderId: string): SentMessage {
  const draft = draftMessage(queue, given, senderId);
  const { messageId, uid } = queue.send(draft);
  const sent: SentMessage = { MessageId: messageId, MD5OfMessageBody: draft.bodyMd5 };
  const md5 = attributesMd5(draft.attributes);
  if (md5 !== undefined) sent.MD5OfMessageAttributes = md5;
  const systemMd5 = attributesMd5(checkSystemAttributes(given.MessageSystemAttributes));
  if (systemMd5 !== undefined) sent.MD5OfMessageSystemAttributes = systemMd5;
  if (queue.fifo) sent.SequenceNumber = sequenceNumber(uid);
  return sent;
}

/** @throws AwsError InvalidParameterValueException */
function receiveOptions(queue: Queue, input: InputOf<'ReceiveMessage'>) {
  const { MaxNumberOfMessages: max = 1, VisibilityTimeout, WaitTimeSeconds, ReceiveRequestAttemptId } = input;
  const { receivedMessages, visibilityTimeout, waitSeconds } = sqsLimits;
  checkRange('MaxNumberOfMessages', max, 1, receivedMessages);
  checkRange('VisibilityTimeout', VisibilityTimeout ?? 0, 0, visibilityTimeout);
  checkRange('WaitTimeSeconds', WaitTimeSeconds ?? 0, 0, waitSeconds);
  if (ReceiveRequestAttemptId !== undefined) {
    const refuse = (reason: string) => invalidParameter('ReceiveRequestAttemptId', ReceiveRequestAttemptId, reason);
    if (!queue.fifo) throw refuse('The request include parameter that is not valid for this queue type.');
    if (!ATTEMPT_ID.test(ReceiveRequestAttemptId)) {
      throw refuse('It can only include alphanumeric and punctuation characters. 1 to 128 in length.');
    }
  }
  return {
    max,
    waitMs: WaitTimeSeconds === undefined ? queue.settings.waitMs : WaitTimeSeconds * 1000,
    visibilityMs: VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1000,
    attemptId: ReceiveRequestAttemptId,
  };
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (value < min || value > max) throw invalidParameter(name, value, `Must be >= ${min} and <= ${max}, if provided.`);
}
