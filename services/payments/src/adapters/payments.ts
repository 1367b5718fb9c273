import { randomUUID } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Cause, InboxKey } from '@millrace/consumer';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  documentClient,
  inboxMark,
  outboxRow,
  retryOnConflict,
} from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '../../events/index.ts';
import {
  type Attempt,
  ChargeUndecidedError,
  decideCancellation,
  firstAttempt,
  isCertainlyNone,
  isOpen,
  maySend,
  OutcomePendingError,
  type Payment,
  repeatedAttempt,
} from '../domain/payment.ts';
import { type ChargeResult, type PaymentProvider, ProviderUnavailableError } from '../domain/payment-provider.ts';
import { SandboxProvider } from './sandbox-provider.ts';

/** A provider that has not answered by then is asked again later: the function has other records to handle. */
const PROVIDER_TIMEOUT_MS = 2_000;

/** The charge's answer is the first event about an order from this service, and a refund the second. */
const CHARGE_SEQUENCE = 1;
const REFUND_SEQUENCE = 2;

/**
 * The payments of one table. Every request to the provider is put on record before it is sent, and its answer afterwards,
 * in one transaction with the event that tells of it. After a crash in between the record says that the provider may have
 * acted: then it is first asked what it did, and asked to act again only when that cannot move money twice.
 */
export class Payments {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #provider: PaymentProvider;
  readonly #now: () => Date;
  readonly #newId: () => string;
  readonly #timeoutMs: number;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string,
    provider: PaymentProvider,
    {
      now = () => new Date(),
      newId = randomUUID as () => string,
      timeoutMs = PROVIDER_TIMEOUT_MS,
    }: { now?: () => Date; newId?: () => string; timeoutMs?: number } = {},
  ) {
    this.#client = client;
    this.#tableName = tableName;
    this.#provider = provider;
    this.#now = now;
    this.#newId = newId;
    this.#timeoutMs = timeoutMs;
  }

  /** The payment of an order, or undefined. */
  async find(orderId: string): Promise<Payment | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#tableName, Key: keyOf(orderId), ConsistentRead: true }),
    );
    return Item && (Item.payment as Payment);
  }

  /**
   * Charges an order once and tells how it ended. An order that was cancelled meanwhile gets its money back.
   * @throws ProviderUnavailableError when the provider does not answer; ChargeUndecidedError when nobody but a person can
   * tell whether it charged; DuplicateEventError for a repeated event.
   */
  async charge(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, total, paymentToken } = order;
    const attempt = firstAttempt(this.#newId(), this.#now());
    // Kept when another writer is faster: a provider's search may not show yet what the provider has just answered.
    let answer: ChargeResult | undefined;
    await retryOnConflict(async () => {
      const intent: Payment = { status: 'PENDING', amount: total, chargeKey: inbox.eventId, charge: attempt };
      let payment = await this.#open(orderId, intent);
      if (!isOpen(payment)) {
        // Whoever closed it did not find the charge, which was still on its way.
        const isTaken = answer?.outcome === 'approved' && payment.status === 'CANCELLED';
        if (isTaken) await this.#undo(orderId, payment, answer as ChargeResult, cause, inbox);
        // Without a mark: another delivery of this event may still hold the answer to its charge, and has to undo it.
        return;
      }
      if (!answer) {
        // Whoever cancels it finds out what became of the charge, and does not stop before that.
        if (payment.cancelRequested) return;
        if (payment.charge?.id !== attempt.id) [payment, answer] = await this.#lookUpCharge(orderId, payment);
        const { chargeKey: idempotencyKey, amount, charge = attempt } = payment;
        answer ??= await this.#request(charge, (signal) =>
          this.#provider.charge({ idempotencyKey, amount, paymentToken }, signal),
        );
      }
      if (payment.cancelRequested) await this.#undo(orderId, payment, answer, cause, inbox);
      else await this.#settle(order, payment, answer, cause, inbox);
    });
  }

  /**
   * Makes sure that a cancelled order costs nothing, whether it was charged, is being charged, or would be later. It
   * ends only when that is certain, so it is repeated while the outcome of a charge or a refund is unknown.
   * @throws OutcomePendingError when the provider does not answer, or cannot tell yet; DuplicateEventError for a repeated
   * event.
   */
  async cancel(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    try {
      await retryOnConflict(() => this.#cancel(order, cause, inbox));
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      throw new OutcomePendingError(order.orderId, error.message, { cause: error });
    }
  }

  async #cancel({ orderId, total }: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const payment = await this.find(orderId);
    switch (decideCancellation(payment)) {
      case 'nothing':
        // Handled all the same, and the mark says so.
        return this.#commit(orderId, inbox, []);
      case 'remember': {
        const cancelled: Payment = { status: 'CANCELLED', amount: total, chargeKey: inbox.eventId };
        await this.#commit(orderId, inbox, [this.#create(orderId, cancelled)]);
        return;
      }
      case 'resolve':
        if (payment) await this.#resolve(orderId, payment, cause, inbox);
        return;
      case 'refund':
        if (payment?.paymentId) await this.#refund(orderId, payment, payment.paymentId, cause, inbox);
    }
  }

  /**
   * Finds out what became of a charge that may have been asked for before.
   * @returns the provider's answer; or none, when it may be charged (again), and that is on record
   */
  async #lookUpCharge(orderId: string, payment: Payment): Promise<[Payment, ChargeResult?]> {
    const found = await this.#provider.find(payment.chargeKey, this.#timeout());
    if (found.outcome === 'approved' || found.outcome === 'declined') return [payment, found];
    const charge = repeatedAttempt(payment.charge, found, this.#newId(), this.#now());
    if (!charge) throw new ChargeUndecidedError(orderId, payment.chargeKey);
    return [await this.#store(orderId, payment, { ...payment, charge })];
  }

  async #settle(order: OrderSnapshot, payment: Payment, result: ChargeResult, cause: Cause, inbox: InboxKey) {
    const { orderId } = order;
    const context = this.#context(orderId, CHARGE_SEQUENCE, cause);
    if (result.outcome === 'approved') {
      const { paymentId } = result;
      const captured = this.#replace(orderId, payment, { ...payment, status: 'CAPTURED', paymentId });
      await this.#commit(orderId, inbox, [captured], PaymentProcessed.create({ ...order, paymentId }, context));
    } else {
      const refused = this.#replace(orderId, payment, { ...payment, status: 'REFUSED' });
      const failed = PaymentFailed.create({ orderId, reason: result.reason, amount: payment.amount }, context);
      await this.#commit(orderId, inbox, [refused], failed);
    }
  }

  /** The order ended while the outcome of its charge is unknown: from here on it is not charged any more. */
  async #resolve(orderId: string, before: Payment, cause: Cause, inbox: InboxKey) {
    const payment = before.cancelRequested
      ? before
      : await this.#store(orderId, before, { ...before, cancelRequested: true });
    const found = await this.#provider.find(payment.chargeKey, this.#timeout());
    if (found.outcome === 'approved' || found.outcome === 'declined') {
      await this.#undo(orderId, payment, found, cause, inbox);
    } else if (isCertainlyNone(payment.charge, found, this.#now())) {
      await this.#close(orderId, payment, inbox);
    } else {
      throw new OutcomePendingError(orderId, 'the provider cannot tell what became of the charge');
    }
  }

  async #undo(orderId: string, payment: Payment, result: ChargeResult, cause: Cause, inbox: InboxKey) {
    if (result.outcome === 'approved') await this.#refund(orderId, payment, result.paymentId, cause, inbox);
    else await this.#close(orderId, payment, inbox);
  }

  async #close(orderId: string, payment: Payment, inbox: InboxKey) {
    await this.#commit(orderId, inbox, [this.#replace(orderId, payment, { ...payment, status: 'CANCELLED' })]);
  }

  async #refund(orderId: string, payment: Payment, paymentId: string, cause: Cause, inbox: InboxKey) {
    const { amount, chargeKey } = payment;
    const idempotencyKey = `${chargeKey}:refund`;
    let refund = firstAttempt(this.#newId(), this.#now());
    let refundId: string | undefined;
    if (payment.refund) {
      const found = await this.#provider.findRefund(idempotencyKey, this.#timeout());
      if (found.outcome === 'refunded') refundId = found.refundId;
      else {
        const repeated = repeatedAttempt(payment.refund, found, this.#newId(), this.#now());
        if (!repeated) throw new OutcomePendingError(orderId, 'the provider cannot tell what became of the refund');
        refund = repeated;
      }
    }
    let refunding = payment;
    if (refundId === undefined) {
      refunding = await this.#store(orderId, payment, { ...payment, status: 'REFUNDING', paymentId, refund });
      ({ refundId } = await this.#request(refund, (signal) =>
        this.#provider.refund({ idempotencyKey, paymentId, amount }, signal),
      ));
    }
    const context = this.#context(orderId, REFUND_SEQUENCE, cause);
    await this.#commit(
      orderId,
      inbox,
      [this.#replace(orderId, refunding, { ...refunding, status: 'REFUNDED' })],
      PaymentRefunded.create({ orderId, paymentId, refundId, amount }, context),
    );
  }

  /** Puts on record what is about to be asked of the provider. @throws ConcurrencyConflictError */
  async #store(orderId: string, before: Payment, after: Payment): Promise<Payment> {
    await commit(this.#client, [this.#replace(orderId, before, after)]);
    return after;
  }

  /** Sends a request that was just put on record. @throws ProviderUnavailableError when it was too long ago */
  async #request<Result>(attempt: Attempt, send: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (!maySend(attempt, this.#now())) {
      throw new ProviderUnavailableError('it was not asked, because the function was stopped for too long before that');
    }
    return send(this.#timeout());
  }

  #timeout(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }

  async #commit(orderId: string, inbox: InboxKey, writes: readonly ConditionalWrite[], event?: EmittableEvent) {
    const now = this.#now();
    const outbox = event ? [outboxRow(this.#tableName, keyOf(orderId).pk, event, now)] : [];
    await commit(this.#client, [...writes, ...outbox, inboxMark(this.#tableName, inbox, now)]);
  }

  #context(subject: string, sequence: number, cause: Cause) {
    return { id: this.#newId(), time: this.#now(), subject, sequence, ...cause };
  }

  /** Stores the intent to charge, unless the order has a payment; returns the one that stands. */
  async #open(orderId: string, intent: Payment): Promise<Payment> {
    const { Attributes } = await this.#client.send(
      new UpdateCommand({
        TableName: this.#tableName,
        Key: keyOf(orderId),
        UpdateExpression: 'SET payment = if_not_exists(payment, :intent)',
        ExpressionAttributeValues: { ':intent': intent },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Attributes?.payment as Payment;
  }

  #create(orderId: string, payment: Payment): ConditionalWrite {
    return this.#put(orderId, payment, { ConditionExpression: 'attribute_not_exists(pk)' });
  }

  /** Replaces exactly the payment that was read. */
  #replace(orderId: string, before: Payment, after: Payment): ConditionalWrite {
    return this.#put(orderId, after, {
      ConditionExpression: 'payment = :before',
      ExpressionAttributeValues: { ':before': before },
    });
  }

  #put(
    orderId: string,
    payment: Payment,
    condition: { ConditionExpression: string; ExpressionAttributeValues?: Record<string, unknown> },
  ): ConditionalWrite {
    return {
      write: { Put: { TableName: this.#tableName, Item: { ...keyOf(orderId), payment }, ...condition } },
      onConditionFailed: (options) =>
        new ConcurrencyConflictError(`The payment of order ${orderId} was changed by another writer`, options),
    };
  }
}

/** The payments in the table MILLRACE_TABLE, through the sandbox. @throws Error when it is not set. */
export function paymentsFromEnvironment(tableName = process.env.MILLRACE_TABLE): Payments {
  if (!tableName) throw new Error("MILLRACE_TABLE must be the name of the service's table");
  const client = documentClient();
  return new Payments(client, tableName, new SandboxProvider(client, tableName));
}

function keyOf(orderId: string) {
  return { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' };
}
