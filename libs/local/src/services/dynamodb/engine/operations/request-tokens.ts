import { DynamoDbError } from '../dynamodb-error.ts';
import type { Journal } from '../journal.ts';

/** For so long a repeated request is recognised by its token. */
const KEEP_MS = 10 * 60 * 1000;

interface SeenToken {
  digest: string;
  at: number;
  done: boolean;
}

/**
 * The tokens of the transactions of the last ten minutes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
 */
export class RequestTokens {
  readonly #seen = new Map<string, SeenToken>();
  readonly #journal: Journal;
  readonly #now: () => number;

  constructor({ journal, now }: { journal: Journal; now: () => number }) {
    this.#journal = journal;
    this.#now = now;
    const kept = [...journal.load('tokens')].map(({ key, value }) => [key, value as SeenToken] as const);
    for (const [token, seen] of kept.toSorted(([, a], [, b]) => a.at - b.at)) this.#seen.set(token, seen);
  }

  /** @returns whether the same request was done before @throws DynamoDbError when the token came with another one */
  isRepeated(token: string, digest: string): boolean {
    this.#forget();
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

  /** A transaction has begun. */
  begin(token: string, digest: string): void {
    this.#seen.set(token, { digest, at: this.#now(), done: false });
  }

  /** A transaction is done, in the same moment as its writes. */
  complete(token: string): void {
    const seen = this.#seen.get(token);
    if (!seen) return;
    seen.done = true;
    this.#journal.put('tokens', token, seen, () => this.#seen.delete(token));
  }

  /** A transaction was not done. */
  abandon(token: string): void {
    this.#seen.delete(token);
  }

  #forget(): void {
    const oldest = this.#now() - KEEP_MS;
    for (const [token, { at, done }] of this.#seen) {
      if (at >= oldest) break;
      this.#seen.delete(token);
      if (done) this.#journal.remove('tokens', token, () => undefined);
    }
  }
}
