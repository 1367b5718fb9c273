import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type DocumentClient, GetCommand, UpdateCommand } from '@millrace/aws';
import {
  type ChargeRequest,
  type ChargeResult,
  KEY_LIFETIME_MS,
  type NotFound,
  type PaymentProvider,
  ProviderUnavailableError,
  type RefundRequest,
  type RefundResult,
} from '../domain/payment-provider.ts';

/** What the sandbox does with a payment token. Any other token is declined as `invalid_token`. */
export const testTokens = {
  /** The charge succeeds. */
  approved: 'tok_approved',
  /** Declined as `card_declined`. */
  declined: 'tok_declined',
  /** Declined as `insufficient_funds`. */
  insufficientFunds: 'tok_insufficient_funds',
  /** No answer to the first two calls about a charge; then it succeeds. */
  temporarilyUnavailable: 'tok_temporarily_unavailable',
  /** No answer to the first five calls, as many as a consumer makes: what is put back afterwards succeeds. */
  outage: 'tok_outage',
  /** The first call takes longer than any timeout, although the charge succeeds; the second finds it. */
  slow: 'tok_slow',
  /** The charge succeeds, but the first five calls get no answer: only a later look finds it. */
  answerLost: 'tok_answer_lost',
  /** The charge succeeds; its refund, too, but the first call for that gets no answer. */
  refundAnswerLost: 'tok_refund_answer_lost',
} as const;

/** How a token behaves; without anything it is approved. */
interface Behaviour {
  /** Declined, with this code. */
  reason?: string;
  /** So many calls about the charge get no answer. */
  unanswered?: number;
  /** The charge is made although its call gets no answer. */
  acts?: boolean;
  /** No answer means that it comes too late. */
  late?: boolean;
  refundAnswerLost?: boolean;
}

const behaviours = new Map<string, Behaviour>([
  [testTokens.approved, {}],
  [testTokens.declined, { reason: 'card_declined' }],
  [testTokens.insufficientFunds, { reason: 'insufficient_funds' }],
  [testTokens.temporarilyUnavailable, { unanswered: 2 }],
  [testTokens.outage, { unanswered: 5 }],
  [testTokens.slow, { unanswered: 1, acts: true, late: true }],
  [testTokens.answerLost, { unanswered: 5, acts: true }],
  [testTokens.refundAnswerLost, { refundAnswerLost: true }],
]);

const SLOW_MS = 60_000;
const KEEP_SECONDS = 90 * 24 * 60 * 60;
/** Part of a `paymentId`: the answer to its refund gets lost. */
const REFUND_ANSWER_LOST = '_refund_answer_lost';

/** A charge that was taken or declined, or a refund. */
interface Act {
  id: string;
  reason?: string;
  /** Epoch, in ms. */
  at: number;
}

/** All the sandbox knows of a key. More than one act means that the key was forgotten, and money moved again. */
interface Entry {
  calls?: number;
  unanswered?: number;
  acts?: Act[];
}

/**
 * A payment provider for development and tests. It decides by the token alone, and acts out what goes wrong with real ones:
 * lost answers, and an idempotency key that it forgets after `KEY_LIFETIME_MS`, after which the same key moves money again.
 * It keeps its books in the service's table, so that it has one memory however many containers ask it.
 */
export class SandboxProvider implements PaymentProvider {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #now: () => Date;
  readonly #hasOutages: boolean;

  /** @param options `hasOutages`: checks before each call whether the provider is switched off, see the README */
  constructor(
    client: DocumentClient,
    tableName: string,
    { now = () => new Date(), hasOutages = false }: { now?: () => Date; hasOutages?: boolean } = {},
  ) {
    this.#client = client;
    this.#tableName = tableName;
    this.#now = now;
    this.#hasOutages = hasOutages;
  }

  async charge({ idempotencyKey, paymentToken }: ChargeRequest, signal: AbortSignal): Promise<ChargeResult> {
    const behaviour = behaviours.get(paymentToken) ?? { reason: 'invalid_token' };
    const { reason, refundAnswerLost } = behaviour;
    const id = `${idFrom('ch', idempotencyKey)}${refundAnswerLost ? REFUND_ANSWER_LOST : ''}`;
    return chargeResult(await this.#act(idempotencyKey, { id, ...(reason && { reason }) }, behaviour, signal));
  }

  async find(idempotencyKey: string): Promise<ChargeResult | NotFound> {
    const act = await this.#lookUp(idempotencyKey);
    return act ? chargeResult(act) : { outcome: 'none' };
  }

  async refund({ idempotencyKey, paymentId }: RefundRequest, signal: AbortSignal): Promise<RefundResult> {
    const behaviour = paymentId.includes(REFUND_ANSWER_LOST) ? { unanswered: 1, acts: true } : {};
    const { id } = await this.#act(idempotencyKey, { id: idFrom('re', idempotencyKey) }, behaviour, signal);
    return { outcome: 'refunded', refundId: id };
  }

  async findRefund(idempotencyKey: string): Promise<RefundResult | NotFound> {
    const act = await this.#lookUp(idempotencyKey);
    return act ? { outcome: 'refunded', refundId: act.id } : { outcome: 'none' };
  }

  /** Acts once for a key that it remembers, and answers, or not, as the behaviour says. */
  async #act(
    key: string,
    act: Omit<Act, 'at'>,
    { unanswered = 0, acts = false, late = false }: Behaviour,
    signal: AbortSignal,
  ): Promise<Act> {
    await this.#endure();
    const { calls = 0 } = unanswered > 0 ? await this.#countCall(key, unanswered) : {};
    const answers = unanswered === 0 || calls > unanswered;
    if (!answers && !acts) throw new ProviderUnavailableError('503 Service Unavailable');
    const made = await this.#enter(key, { ...act, at: this.#now().getTime() });
    if (answers) return made;
    if (late) await answerLate(signal);
    throw new ProviderUnavailableError('connection reset');
  }

  async #lookUp(key: string): Promise<Act | undefined> {
    await this.#endure();
    const { acts = [], calls = 0, unanswered = 0 } = await this.#countCall(key);
    if (calls <= unanswered) throw new ProviderUnavailableError('503 Service Unavailable');
    return acts.at(-1);
  }

  /** @throws ProviderUnavailableError during an outage: until the time in `downUntil` of one item, in ms since the epoch */
  async #endure(): Promise<void> {
    if (!this.#hasOutages) return;
    const Key = { pk: 'SANDBOX#OUTAGE', sk: 'SANDBOX' };
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#tableName, Key, ConsistentRead: true }));
    if (this.#now().getTime() < Number(Item?.downUntil ?? 0))
      throw new ProviderUnavailableError('503 Service Unavailable');
  }

  async #countCall(key: string, unanswered?: number): Promise<Entry> {
    if (unanswered === undefined) return this.#update(key, 'SET #ttl = :ttl ADD calls :one', { ':one': 1 });
    const expression = 'SET #ttl = :ttl, unanswered = :unanswered ADD calls :one';
    return this.#update(key, expression, { ':one': 1, ':unanswered': unanswered });
  }

  /** Makes the act, unless the key is remembered. @returns the act that counts */
  async #enter(key: string, act: Act): Promise<Act> {
    const first = 'SET #ttl = :ttl, acts = if_not_exists(acts, :acts)';
    const { acts = [] } = await this.#update(key, first, { ':acts': [act] });
    const last = acts.at(-1) ?? act;
    if (act.at - last.at < KEY_LIFETIME_MS) return last;
    const again = { ...act, id: `${act.id}_${acts.length + 1}` };
    try {
      const another = 'SET #ttl = :ttl, acts = list_append(acts, :again)';
      await this.#update(key, another, { ':again': [again], ':count': acts.length }, 'size(acts) = :count');
      return again;
    } catch (error) {
      if ((error as Error).name === 'ConditionalCheckFailedException') return this.#enter(key, act);
      throw error;
    }
  }

  async #update(key: string, expression: string, values: object, condition?: string): Promise<Entry> {
    const { Attributes } = await this.#client.send(
      new UpdateCommand({
        TableName: this.#tableName,
        Key: { pk: `SANDBOX#${key}`, sk: 'SANDBOX' },
        UpdateExpression: expression,
        ...(condition !== undefined && { ConditionExpression: condition }),
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: { ...values, ':ttl': Math.floor(this.#now().getTime() / 1000) + KEEP_SECONDS },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return (Attributes ?? {}) as Entry;
  }
}

function chargeResult({ id, reason }: Act): ChargeResult {
  return reason === undefined ? { outcome: 'approved', paymentId: id } : { outcome: 'declined', reason };
}

async function answerLate(signal: AbortSignal): Promise<void> {
  try {
    await delay(SLOW_MS, undefined, { signal });
  } catch (cause) {
    throw new ProviderUnavailableError('timeout', { cause });
  }
}

function idFrom(prefix: string, key: string): string {
  return `${prefix}_${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
}
