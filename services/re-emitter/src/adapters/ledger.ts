import { type DocumentClient, GetCommand, UpdateCommand } from '@millrace/aws';
import { DEDUPLICATION_SECONDS } from '@millrace/events';

/**
 * Which letters of an event have been re-emitted: for each dead-letter queue and event, the SQS ids of the messages that
 * EventBridge accepted. A letter that is found again under one of these ids only has to be deleted; their number tells
 * how often the event has come back.
 */
export class Ledger {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #now: () => number;

  constructor(client: DocumentClient, tableName: string, now: () => number = Date.now) {
    this.#client = client;
    this.#tableName = tableName;
    this.#now = now;
  }

  /** The SQS message ids under which the event was re-emitted from this queue. */
  async reemitted(queueName: string, eventId: string): Promise<Set<string>> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#tableName, Key: keyOf(queueName, eventId), ConsistentRead: true }),
    );
    return new Set((Item?.messageIds as Set<string> | undefined) ?? []);
  }

  /** Records that EventBridge accepted the event of one letter. To record it again changes nothing. */
  async record(queueName: string, eventId: string, messageId: string): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#tableName,
        Key: keyOf(queueName, eventId),
        UpdateExpression: 'ADD messageIds :messageId SET #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':messageId': new Set([messageId]),
          ':ttl': Math.floor(this.#now() / 1000) + DEDUPLICATION_SECONDS,
        },
      }),
    );
  }
}

function keyOf(queueName: string, eventId: string): { pk: string; sk: string } {
  return { pk: `${queueName}#${eventId}`, sk: 'LEDGER' };
}
