import { randomUUID } from 'node:crypto';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { type DocumentClient, documentClient } from '@millrace/aws';
import type { Context } from 'aws-lambda';
import { LockingPersistenceLayer } from './locking-persistence-layer.ts';

export interface IdempotencyTableOptions {
  /** What the keys are for, e.g. `consumer`: the same key with another prefix is another key. */
  keyPrefix: string;
  /** For how long a result is remembered. */
  expiresAfterSeconds: number;
  /** Side effects, for tests to replace. */
  client?: DocumentClient;
  now?: () => Date;
  newId?: () => string;
}

/** One call of an action that is to happen once. */
export interface IdempotentCall {
  key: string;
  /** When given, the key belongs to it: with another one the call is refused. */
  payload?: string;
  /** Of the running invocation: says how much time the action has at most. */
  context: Pick<Context, 'getRemainingTimeInMillis'>;
}

/**
 * Runs actions once for each key, by Powertools idempotency. While one runs, a lock in the table keeps others out, see
 * `LockingPersistenceLayer`; its result is remembered. An action that fails leaves nothing behind and may run again.
 * https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/
 */
export class IdempotencyTable {
  readonly #tableName: string;
  readonly #keyPrefix: string;
  readonly #expiresAfterSeconds: number;
  readonly #client: DocumentClient;
  readonly #now: () => Date;
  readonly #newId: () => string;

  constructor(tableName: string, options: IdempotencyTableOptions) {
    this.#tableName = tableName;
    this.#keyPrefix = options.keyPrefix;
    this.#expiresAfterSeconds = options.expiresAfterSeconds;
    this.#client = options.client ?? documentClient();
    this.#now = options.now ?? (() => new Date());
    this.#newId = options.newId ?? randomUUID;
  }

  /**
   * Runs the action, or returns what it returned before.
   *
   * A crash after the action and before its result is stored runs it again: give the key on to whatever the action calls.
   *
   * @param action returns JSON
   * @throws IdempotencyAlreadyInProgressError while another call with the key runs; IdempotencyValidationError when the key
   * came with another payload before; IdempotencyPersistenceLayerError when the table cannot be used; what the action throws
   * @example await table.run({ key: eventId, context }, () => mailer.send(mail));
   */
  async run<Result>({ key, payload, context }: IdempotentCall, action: () => Promise<Result>): Promise<Result> {
    const config = new IdempotencyConfig({
      eventKeyJmesPath: 'key',
      ...(payload !== undefined && { payloadValidationJmesPath: 'payload' }),
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: this.#expiresAfterSeconds,
    });
    config.registerLambdaContext(context as Context);
    // A layer of its own for each call: it remembers which lock is the call's.
    const persistenceStore = new LockingPersistenceLayer({
      tableName: this.#tableName,
      client: this.#client,
      owner: this.#newId(),
      now: this.#now,
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
    const deadline = this.#now().getTime() + context.getRemainingTimeInMillis();
    const runInTime = async (_call: { key: string; payload?: string }) => {
      // Lambda can freeze a function that has taken the lock, and go on hours later, when another one has taken it over.
      if (this.#now().getTime() > deadline) throw new Error('The invocation ended before the action was run');
      return action();
    };
    const once = makeIdempotent(runInTime, {
      persistenceStore,
      config,
      keyPrefix: this.#keyPrefix,
    });
    return (await once({ key, ...(payload !== undefined && { payload }) })) as Result;
  }
}
