import { IdempotencyItemAlreadyExistsError, IdempotencyRecordStatus } from '@aws-lambda-powertools/idempotency';
import { BasePersistenceLayer, IdempotencyRecord } from '@aws-lambda-powertools/idempotency/persistence';
import {
  ConditionalCheckFailedException,
  DeleteCommand,
  type DocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@millrace/aws';

/**
 * How much longer a lock lasts than the invocation that took it, in ms. AWS refuses requests that are signed by a clock more
 * than five minutes off, so two clocks differ by ten at most.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
 */
export const LOCK_MARGIN_MS = 10 * 60 * 1000;

export interface LockingPersistenceLayerOptions {
  tableName: string;
  client: DocumentClient;
  /** Whose lock it is: another one for every call. */
  owner: string;
  now: () => Date;
  /** Until the invocation ends. */
  remainingMs: () => number;
}

/**
 * Keeps the records of Powertools idempotency in DynamoDB, so that two containers whose clocks differ never run the same
 * action at once.
 *
 * The layer that comes with Powertools lets a lock expire the moment its invocation must have ended, by the clock of that
 * container, and another container compares it with its own: one that is two minutes ahead takes over while the first is
 * still at work. It also releases a lock without asking whose it is. Here a lock lasts `LOCK_MARGIN_MS` longer, and has an
 * owner, who alone can release it. An action that fails releases its lock at once, so only a crash makes others wait.
 */
export class LockingPersistenceLayer extends BasePersistenceLayer {
  readonly #options: LockingPersistenceLayerOptions;

  constructor(options: LockingPersistenceLayerOptions) {
    super();
    this.#options = options;
  }

  /** Takes the lock, unless another call has it or has a result. */
  protected async _putRecord({ idempotencyKey, payloadHash }: IdempotencyRecord): Promise<void> {
    const { client, tableName, owner, remainingMs } = this.#options;
    const now = this.#options.now().getTime();
    try {
      await client.send(
        new PutCommand({
          TableName: tableName,
          Item: {
            id: idempotencyKey,
            status: IdempotencyRecordStatus.INPROGRESS,
            owner,
            in_progress_expiration: now + remainingMs() + LOCK_MARGIN_MS,
            ...this.#kept(payloadHash),
          },
          ConditionExpression:
            'attribute_not_exists(id) OR expiration < :now OR (#status = :inProgress AND in_progress_expiration < :nowMs)',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':now': now / 1000,
            ':nowMs': now,
            ':inProgress': IdempotencyRecordStatus.INPROGRESS,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // The request was sent twice because the first answer got lost.
      if (error.Item?.owner === owner) return;
      throw new IdempotencyItemAlreadyExistsError(
        `A call with the key ${idempotencyKey} runs or has run`,
        error.Item && recordOf(error.Item),
      );
    }
  }

  /** Stores the result, even when another call has the lock by now: the action has happened and must not happen again. */
  protected async _updateRecord({ idempotencyKey, payloadHash, responseData }: IdempotencyRecord): Promise<void> {
    const { client, tableName } = this.#options;
    const values: Record<string, unknown> = {
      status: IdempotencyRecordStatus.COMPLETED,
      ...(responseData !== undefined && { data: JSON.stringify(responseData) }),
      ...this.#kept(payloadHash),
    };
    const names = Object.keys(values);
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { id: idempotencyKey },
        UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')} REMOVE #owner, in_progress_expiration`,
        ExpressionAttributeNames: Object.fromEntries([...names, 'owner'].map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, values[name]])),
      }),
    );
  }

  /** Releases the lock of an action that failed. A lock that another call has taken over meanwhile stays. */
  protected async _deleteRecord({ idempotencyKey }: IdempotencyRecord): Promise<void> {
    const { client, tableName, owner } = this.#options;
    try {
      await client.send(
        new DeleteCommand({
          TableName: tableName,
          Key: { id: idempotencyKey },
          ConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: { ':owner': owner },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  protected async _getRecord(idempotencyKey: string): Promise<IdempotencyRecord> {
    const { client, tableName } = this.#options;
    const { Item } = await client.send(
      new GetCommand({ TableName: tableName, Key: { id: idempotencyKey }, ConsistentRead: true }),
    );
    // Expired in between: the caller takes it for a conflict and tries again.
    if (!Item) throw new Error(`The record of ${idempotencyKey} is gone`);
    return recordOf(Item);
  }

  /** What a record has in every state. */
  #kept(payloadHash: string | undefined): Record<string, unknown> {
    const expiration = Math.floor(this.#options.now().getTime() / 1000) + this.expiresAfterSeconds;
    return {
      expiration,
      ...(this.isPayloadValidationEnabled() && payloadHash !== undefined && { validation: payloadHash }),
    };
  }
}

/** Without its times: the condition of the write has compared them, by the clock that counts here. */
function recordOf({ id, status, data, validation }: Record<string, unknown>): IdempotencyRecord {
  return new IdempotencyRecord({
    idempotencyKey: String(id),
    status: status as never,
    ...(typeof data === 'string' && { responseData: JSON.parse(data) }),
    ...(typeof validation === 'string' && { payloadHash: validation }),
  });
}
