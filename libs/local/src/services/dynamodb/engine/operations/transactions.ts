import { createHash } from 'node:crypto';
import { itemSize } from '../attribute-value.ts';
import { CapacityMeter } from '../capacity.ts';
import {
  type CancellationReason,
  DynamoDbError,
  TRANSACTION_CONFLICT,
  transactionCanceled,
  validationError,
} from '../dynamodb-error.ts';
import { type ItemOutcome, type ItemWrite, isSameItem, outcomeOf, readWrite, type WriteKind } from './item-write.ts';
import { type GetInput, readOne } from './read-operations.ts';
import type { EngineState, WriteInput } from './request.ts';

const MAX_ACTIONS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
/** For so long a repeated request is recognised by its token. */
const TOKEN_MS = 10 * 60 * 1000;

export interface TransactWriteInput {
  TransactItems?: Partial<Record<WriteKind, WriteInput>>[];
  ClientRequestToken?: string;
  ReturnConsumedCapacity?: string;
}

/** A transaction that has begun: its items are held until it ends. */
export interface OpenTransaction {
  /** Writes, and ends it. */
  commit(): Record<string, unknown>;
  /** Ends it without having written. */
  abandon(): void;
}

/** The requests of the last ten minutes by their tokens. */
export class RequestTokens {
  readonly #seen = new Map<string, { digest: string; at: number; done: boolean }>();

  /** @returns whether the same request was done before @throws DynamoDbError when the token came with another one */
  isRepeated(token: string, digest: string, now: number): boolean {
    for (const [each, { at }] of this.#seen) {
      if (now - at <= TOKEN_MS) break;
      this.#seen.delete(each);
    }
    const seen = this.#seen.get(token);
    if (!seen) return false;
    if (seen.digest !== digest) {
      throw new DynamoDbError(
        'IdempotentParameterMismatchException',
        'DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.',
      );
    }
    if (!seen.done) {
      throw new DynamoDbError(
        'TransactionInProgressException',
        'The transaction with the given request token is already in progress.',
      );
    }
    return true;
  }

  begin(token: string, digest: string, now: number): void {
    this.#seen.set(token, { digest, at: now, done: false });
  }

  end(token: string, done: boolean): void {
    const seen = this.#seen.get(token);
    if (seen && done) seen.done = true;
    else this.#seen.delete(token);
  }
}

/**
 * Begins TransactWriteItems: checks every action and holds the items. Whether the conditions hold is decided now; as
 * nobody else can write the items meanwhile, that is true when it commits.
 * @throws DynamoDbError TransactionCanceledException with a reason for each action, and others
 */
export function beginTransaction(
  state: EngineState,
  tokens: RequestTokens,
  { TransactItems: actions = [], ClientRequestToken: token, ReturnConsumedCapacity }: TransactWriteInput,
): OpenTransaction {
  assertCount(actions.length);
  const writes = actions.map((action) => {
    const [entry, other] = Object.entries(action).filter(([, input]) => input !== undefined);
    const kind = entry?.[0] as WriteKind | undefined;
    if (!entry || other || !kind || !['Put', 'Update', 'Delete', 'ConditionCheck'].includes(kind)) {
      throw validationError('TransactItems can only contain one of Check, Put, Update or Delete');
    }
    const write = readWrite(state, kind, entry[1] as WriteInput);
    if (kind === 'ConditionCheck' && !write.condition) {
      throw validationError('ConditionExpression is required for ConditionCheck');
    }
    if (kind === 'Update' && !write.update) throw validationError('UpdateExpression is required for Update');
    return write;
  });
  assertDistinct(writes);
  const digest = createHash('sha256').update(JSON.stringify(actions)).digest('base64');
  if (token !== undefined && tokens.isRepeated(token, digest, state.now()))
    return repeated(writes, ReturnConsumedCapacity);

  const references = writes.map(({ table, key }) => ({ table, place: table.placeOf(key) }));
  const outcomes = decide(state, writes);
  const end = state.transactions.hold(references);
  if (token !== undefined) tokens.begin(token, digest, state.now());
  return {
    commit() {
      end();
      const meter = new CapacityMeter();
      for (const [index, { table, key, kind }] of writes.entries()) {
        const { before, after } = outcomes[index] as ItemOutcome;
        meter.write(table, before, after, 2);
        if (kind !== 'ConditionCheck') table.write(key, after);
      }
      if (token !== undefined) tokens.end(token, true);
      return reported(meter, ReturnConsumedCapacity, 'Write');
    },
    abandon() {
      end();
      if (token !== undefined) tokens.end(token, false);
    },
  };
}

function decide(state: EngineState, writes: readonly ItemWrite[]): ItemOutcome[] {
  const outcomes: ItemOutcome[] = [];
  const reasons = writes.map((write): CancellationReason => {
    const { table, key } = write;
    if (state.transactions.holds({ table, place: table.placeOf(key) })) {
      return { Code: 'TransactionConflict', Message: TRANSACTION_CONFLICT };
    }
    try {
      outcomes.push(outcomeOf(write));
      return { Code: 'None' };
    } catch (error) {
      if (!(error instanceof DynamoDbError)) throw error;
      const { name, message: Message, members } = error;
      if (name !== 'ConditionalCheckFailedException') return { Code: 'ValidationError', Message };
      return { Code: 'ConditionalCheckFailed', Message, ...members };
    }
  });
  if (reasons.some(({ Code }) => Code !== 'None')) throw transactionCanceled(reasons);
  const bytes = outcomes.reduce((sum, { after }) => sum + (after ? itemSize(after) : 0), 0);
  if (bytes > MAX_BYTES) {
    throw validationError('Aggregate size of all items in the transaction cannot exceed the limit of 4194304 bytes');
  }
  return outcomes;
}

/** The answer to a request that was done before: it has read the items, and costs as much. */
function repeated(writes: readonly ItemWrite[], wish: string | undefined): OpenTransaction {
  const meter = new CapacityMeter();
  for (const { table, key } of writes) {
    const item = table.get(key);
    meter.read(table, item ? itemSize(item) : 0, 2);
  }
  return { commit: () => reported(meter, wish, 'Read'), abandon: () => undefined };
}

interface TransactGetInput {
  TransactItems?: { Get?: GetInput }[];
  ReturnConsumedCapacity?: string;
}

/** TransactGetItems. */
export function transactGetItems(
  state: EngineState,
  { TransactItems: actions = [], ReturnConsumedCapacity }: TransactGetInput,
): Record<string, unknown> {
  assertCount(actions.length);
  const reads = actions.map(({ Get = {} }) => readOne(state, Get));
  const places = reads.map(({ table, key }) => JSON.stringify([table.name, table.placeOf(key)]));
  if (new Set(places).size < places.length) throw severalOnOne();
  const reasons = reads.map(
    ({ table, key }): CancellationReason =>
      state.transactions.holds({ table, place: table.placeOf(key) })
        ? { Code: 'TransactionConflict', Message: TRANSACTION_CONFLICT }
        : { Code: 'None' },
  );
  if (reasons.some(({ Code }) => Code !== 'None')) throw transactionCanceled(reasons);
  const meter = new CapacityMeter();
  for (const { table, item } of reads) meter.read(table, item ? itemSize(item) : 0, 2);
  return {
    Responses: reads.map(({ projected }) => (projected ? { Item: projected } : {})),
    ...reported(meter, ReturnConsumedCapacity, 'Read'),
  };
}

function reported(meter: CapacityMeter, wish: string | undefined, kind: 'Read' | 'Write'): Record<string, unknown> {
  const ConsumedCapacity = meter.report(wish, kind);
  return ConsumedCapacity ? { ConsumedCapacity } : {};
}

function assertCount(count: number): void {
  if (count >= 1 && count <= MAX_ACTIONS) return;
  throw validationError(
    `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${count < 1 ? 'greater than or equal to 1' : `less than or equal to ${MAX_ACTIONS}`}`,
  );
}

function assertDistinct(writes: readonly ItemWrite[]): void {
  writes.forEach((write, index) => {
    if (writes.slice(index + 1).some((other) => isSameItem(write, other))) throw severalOnOne();
  });
}

function severalOnOne(): DynamoDbError {
  return validationError('Transaction request cannot include multiple operations on one item');
}
