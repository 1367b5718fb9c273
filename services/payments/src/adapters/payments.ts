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
import { decideCancellation, isOpen, type Payment } from '../domain/payment.ts';
import type { ChargeResult, PaymentProvider } from '../domain/payment-provider.ts';
import { callCounterIn } from './call-counter.ts';
import { SandboxProvider } from './sandbox-provider.ts';

/** A provider that has not answered by then is asked again later: the function has other records to handle. */
const PROVIDER_TIMEOUT_MS = 2_000;

/** The charge's answer is the first event about an order from this service, and a refund the second. */
const CHARGE_SEQUENCE = 1;
const REFUND_SEQUENCE = 2;

/**
 * The payments of one table. The intent is stored before the provider is asked, and its answer afterwards, in one
 * transaction with the event that tells of it. A crash in between repeats the question with the same idempotency key.
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
   * Charges an order once and tells how it ended. An order that was cancelled meanwhile gets its money back at once.
   * @throws ProviderUnavailableError when the provider does not answer; DuplicateEventError for a repeated event.
   */
  async charge(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, total, paymentToken } = order;
    await retryOnConflict(async () => {
      const payment = await this.#open(orderId, { status: 'PENDING', amount: total, chargeKey: inbox.eventId });
      if (!isOpen(payment)) return;
      const result = await this.#provider.charge(
        { idempotencyKey: payment.chargeKey, amount: payment.amount, paymentToken },
        AbortSignal.timeout(this.#timeoutMs),
      );
      if (payment.cancelRequested) await this.#undo(orderId, payment, result, cause, inbox);
      else await this.#settle(order, payment, result, cause, inbox);
    });
  }

  /**
   * Makes sure that a cancelled order costs nothing, whether it was charged, is being charged, or would be later.
   * @throws ProviderUnavailableError when the provider does not answer; DuplicateEventError for a repeated event.
   */
  async cancel(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const { orderId, total } = order;
    await retryOnConflict(async () => {
      const payment = await this.find(orderId);
      switch (decideCancellation(payment)) {
        case 'nothing':
          return;
        case 'remember': {
          const cancelled: Payment = { status: 'CANCELLED', amount: total, chargeKey: inbox.eventId };
          await this.#commit(orderId, inbox, [this.#create(orderId, cancelled)]);
          return;
        }
        case 'flag':
          if (payment) {
            await this.#commit(orderId, inbox, [
              this.#replace(orderId, payment, { ...payment, cancelRequested: true }),
            ]);
          }
          return;
        case 'refund':
          if (payment?.paymentId) await this.#refund(orderId, payment, payment.paymentId, cause, inbox);
      }
    });
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

  /** The order ended while its charge was under way. */
  async #undo(orderId: string, payment: Payment, result: ChargeResult, cause: Cause, inbox: InboxKey) {
    if (result.outcome === 'approved') {
      await this.#refund(orderId, payment, result.paymentId, cause, inbox);
    } else {
      await this.#commit(orderId, inbox, [this.#replace(orderId, payment, { ...payment, status: 'CANCELLED' })]);
    }
  }

  async #refund(orderId: string, payment: Payment, paymentId: string, cause: Cause, inbox: InboxKey) {
    const { amount, chargeKey } = payment;
    const { refundId } = await this.#provider.refund(
      { idempotencyKey: `${chargeKey}:refund`, paymentId, amount },
      AbortSignal.timeout(this.#timeoutMs),
    );
    const refunded = this.#replace(orderId, payment, { ...payment, status: 'REFUNDED', paymentId });
    const context = this.#context(orderId, REFUND_SEQUENCE, cause);
    await this.#commit(
      orderId,
      inbox,
      [refunded],
      PaymentRefunded.create({ orderId, paymentId, refundId, amount }, context),
    );
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
  return new Payments(client, tableName, new SandboxProvider(callCounterIn(client, tableName)));
}

function keyOf(orderId: string) {
  return { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' };
}
