import { AwsError } from '../../../core/aws-error.ts';
import type { MessageAttributes } from '../engine/message.ts';
import { missingParameter, queryCode, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { attributesSize } from '../messages/message-attributes.ts';
import { checkFifoIds } from '../messages/message-draft.ts';
import { changeVisibility, deleteMessage } from '../messages/receipts.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory, SqsCaller } from '../queue-directory.ts';
import { sendMessage } from './message-operations.ts';

const ENTRY_ID = /^[A-Za-z0-9_-]+$/;

interface BatchFailure {
  Id: string;
  SenderFault: boolean;
  Code: string;
  Message: string;
}

/** The operations on up to ten messages, each of which succeeds or fails alone. */
export function batchOperations(directory: QueueDirectory) {
  return {
    SendMessageBatch({ QueueUrl, Entries = [] }: InputOf<'SendMessageBatch'>, caller: SqsCaller) {
      const queue = directory.find(QueueUrl);
      checkEntries(Entries);
      const size = Entries.reduce(
        (sum, { MessageBody, MessageAttributes }) =>
          sum + Buffer.byteLength(MessageBody) + attributesSize(MessageAttributes as MessageAttributes | undefined),
        0,
      );
      if (size > sqsLimits.messageBytes) {
        throw sqsError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than ${sqsLimits.messageBytes} bytes. You have sent ${size} bytes.`,
        );
      }
      for (const entry of Entries) {
        if (queue.fifo && entry.MessageGroupId === undefined) {
          const reason = 'The request must contain the parameter MessageGroupId in each entry.';
          throw sqsError('InvalidParameterValueException', reason);
        }
        checkFifoIds(queue, entry);
      }
      return each(Entries, ({ Id: _id, ...given }) =>
        sendMessage(queue, given, caller.senderId ?? directory.accountId),
      );
    },

    DeleteMessageBatch({ QueueUrl, Entries = [] }: InputOf<'DeleteMessageBatch'>) {
      const queue = directory.find(QueueUrl);
      checkEntries(Entries);
      return each(Entries, ({ ReceiptHandle }) => {
        deleteMessage(queue, ReceiptHandle);
        return undefined;
      });
    },

    ChangeMessageVisibilityBatch({ QueueUrl, Entries = [] }: InputOf<'ChangeMessageVisibilityBatch'>) {
      const queue = directory.find(QueueUrl);
      checkEntries(Entries);
      return each(Entries, ({ ReceiptHandle, VisibilityTimeout }) => {
        if (VisibilityTimeout === undefined) throw missingParameter('VisibilityTimeout');
        changeVisibility(queue, ReceiptHandle, VisibilityTimeout);
        return undefined;
      });
    },
  };
}

/**
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 * @throws AwsError EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct
 */
function checkEntries(entries: readonly { Id: string }[]): void {
  if (entries.length === 0) {
    throw sqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > sqsLimits.batchEntries) {
    throw sqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${sqsLimits.batchEntries}. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const { Id } of entries) {
    if (Id.length > sqsLimits.batchIdLength || !ENTRY_ID.test(Id)) {
      throw sqsError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    }
    if (seen.has(Id)) throw sqsError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`);
    seen.add(Id);
  }
}

function each<Entry extends { Id: string }, Result extends object>(
  entries: readonly Entry[],
  handle: (entry: Entry) => Result | undefined,
): { Successful: ({ Id: string } & Partial<Result>)[]; Failed?: BatchFailure[] } {
  const Successful: ({ Id: string } & Partial<Result>)[] = [];
  const Failed: BatchFailure[] = [];
  for (const entry of entries) {
    const { Id } = entry;
    try {
      Successful.push({ Id, ...(handle(entry) ?? ({} as Partial<Result>)) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id, SenderFault: error.status < 500, Code: queryCode(error.code), Message: error.message });
    }
  }
  return { Successful, ...(Failed.length > 0 && { Failed }) };
}
