import { type DocumentClient, UpdateCommand } from '@millrace/aws';
import type { Message } from '../domain/message.ts';

const KEEP_SECONDS = 90 * 24 * 60 * 60;

/** Which messages were sent, kept for 90 days. No address, no name and no text: the event has them. */
export class SentLog {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #now: () => Date;

  constructor(client: DocumentClient, tableName: string, now: () => Date = () => new Date()) {
    this.#client = client;
    this.#tableName = tableName;
    this.#now = now;
  }

  /** Puts a message on record. To record it again changes nothing. */
  async record({ channel, template, recipient }: Message, eventId: string): Promise<void> {
    const now = this.#now();
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#tableName,
        Key: { pk: `MESSAGE#${eventId}`, sk: channel },
        UpdateExpression:
          'SET channel = :channel, #template = :template, recipient = :recipient, eventId = :eventId, ' +
          'sentAt = if_not_exists(sentAt, :sentAt), #ttl = if_not_exists(#ttl, :ttl)',
        ExpressionAttributeNames: { '#template': 'template', '#ttl': 'ttl' },
        ExpressionAttributeValues: {
          ':channel': channel,
          ':template': template,
          ':recipient': recipient,
          ':eventId': eventId,
          ':sentAt': now.toISOString(),
          ':ttl': Math.floor(now.getTime() / 1000) + KEEP_SECONDS,
        },
      }),
    );
  }
}
