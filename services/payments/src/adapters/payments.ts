import { randomUUID } from 'node:crypto';
import {
  CircuitBreaker,
  circuitSettingsFromEnvironment,
  DynamoDbCircuitStore,
  type ProviderCalls,
} from '@millrace/circuit-breaker';
import {
  type Row,
  type RowContext,
  type RowRunner,
  retryOnConflict,
  rowRunner,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { Cause, EventContext, InboxKey } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '../../events/index.ts';
import {
  type Attempt,
  ChargeUndecidedError,
  decide,
  decideCancellation,
  evolve,
  firstAttempt,
  isCertainlyNone,
  isOpen,
  maySend,
  OutcomePendingError,
  type Payment,
  type PaymentCommand,
  type PaymentEvent,
  repeatedAttempt,
} from '../domain/payment.ts';
import { type ChargeResult, type PaymentProvider, ProviderUnavailableError } from '../domain/payment-provider.ts';
import { SandboxProvider } from './sandbox-provider.ts';

/** A provider that has not answered by then is asked again later: the function has other records to handle. */
const PROVIDER_TIMEOUT_MS = 2_000;
/** All functions that call the provider share it. The alarm in serverless.yml names it. */
const CIRCUIT = 'payment-provider';

/** A call of the provider. */
type Call<Result> = (signal: AbortSignal) => Promise<Result>;

/** What a change inherits, and the event that is handled by it. */
type Handling = RowContext & { inbox: InboxKey };

/**
 * The payments of one table. Every request to the provider is put on record before it is sent, and its answer afterwards,
 * in one transaction with the event that tells of it. After a crash in between the record says that the provider may have
 * acted: then it is first asked what it did, and asked to act again only when that cannot move money twice.
 */
export class Payments {
  readonly #rows: RowRunner<Payment, PaymentCommand, PaymentEvent>;
  readonly #provider: PaymentProvider;
  readonly #now: () => Date;
  readonly #newId: () => string;
  readonly #timeoutMs: number;
  readonly #circuit: Pick<CircuitBreaker, 'handle'>;

  constructor(
    table: Table,
    provider: PaymentProvider,
    {
      now = () => new Date(),
      newId = randomUUID as () => string,
      timeoutMs = PROVIDER_TIMEOUT_MS,
      circuit = alwaysClosed,
    }: {
      now?: () => Date;
      newId?: () => string;
      timeoutMs?: number;
      /** Every call of the provider goes through it; those of a message together. */
      circuit?: Pick<CircuitBreaker, 'handle'>;
    } = {},
  ) {
    const key = (orderId: string) => ({ pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' });
    this.#rows = rowRunner({ table, key, decide, evolve, publish }, { now, newId });
    this.#provider = provider;
    this.#now = now;
    this.#newId = newId;
    this.#timeoutMs = timeoutMs;
    this.#circuit = circuit;
  }

  /** The payment of an order, or undefined. */
  async find(orderId: string): Promise<Payment | undefined> {
    return (await this.#rows.load(orderId)).state;
  }

  /**
   * Charges an order once and tells how it ended. An order that was cancelled meanwhile gets its money back.
   * @throws ProviderUnavailableError when the provider does not answer; CircuitOpenError while it is not asked;
   * ChargeUndecidedError when only a person can tell whether it charged; DuplicateEventError for a repeated event.
   */
  charge(order: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    return this.#circuit.handle((calls) => this.#charge(order, { ...cause, inbox }, calls));
  }

  async #charge(order: OrderSnapshot, handling: Handling, calls: ProviderCalls): Promise<void> {
    await calls.enter();
    const { inbox, ...cause } = handling;
    const { orderId, total: amount, paymentToken } = order;
    const attempt = firstAttempt(this.#newId(), this.#now());
    const request = { type: 'RequestCharge', amount, chargeKey: inbox.eventId, charge: attempt } as const;
    let opened: Row<Payment | undefined> | undefined = await this.#rows.execute(orderId, request, {
      ...cause,
      assumeNew: true,
    });
    // Kept when another writer is faster: a provider's search may not show yet what the provider has just answered.
    let answer: ChargeResult | undefined;
    await retryOnConflict(async () => {
      let payment = (opened ?? (await this.#rows.load(orderId))) as Row<Payment>;
      opened = undefined;
      if (!isOpen(payment.state)) {
        // Whoever closed it did not find the charge, which was still on its way.
        const isTaken = answer?.outcome === 'approved' && payment.state.status === 'CANCELLED';
        if (isTaken) await this.#undo(payment, answer as ChargeResult, handling, calls);
        // Without a mark: another delivery of this event may still hold the answer to its charge, and has to undo it.
        return;
      }
      if (!answer) {
        // Whoever cancels it finds out what became of the charge, and does not stop before that.
        if (payment.state.cancelRequested) return;
        if (payment.state.charge?.id !== attempt.id)
          [payment, answer] = await this.#lookUpCharge(payment, cause, calls);
        const { chargeKey: idempotencyKey, amount, charge = attempt } = payment.state;
        answer ??= await this.#request(calls, charge, (signal) =>
          this.#provider.charge({ idempotencyKey, amount, paymentToken }, signal),
        );
      }
      if (payment.state.cancelRequested) await this.#undo(payment, answer, handling, calls);
      else await this.#rows.record(payment, decide({ type: 'Settle', order, answer }, payment.state), handling);
    });
  }

  /**
   * Makes sure that a cancelled order costs nothing, whether it was charged, is being charged, or would be later. It
   * ends only when that is certain, so it is repeated while the outcome of a charge or a refund is unknown.
   * @throws OutcomePendingError when the provider does not answer, or cannot tell yet; CircuitOpenError while it is not asked;
   * DuplicateEventError for a repeated event.
   */
  async cancel({ orderId, total }: OrderSnapshot, cause: Cause, inbox: InboxKey): Promise<void> {
    const forestalled = { type: 'PaymentForestalled', amount: total, chargeKey: inbox.eventId } as const;
    try {
      await this.#circuit.handle((calls) =>
        retryOnConflict(() => this.#cancel(orderId, forestalled, { ...cause, inbox }, calls)),
      );
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      throw new OutcomePendingError(orderId, error.message, { cause: error });
    }
  }

  async #cancel(orderId: string, forestalled: PaymentEvent, handling: Handling, calls: ProviderCalls): Promise<void> {
    const row = await this.#rows.load(orderId);
    const payment = row as Row<Payment>; // but for `remember`
    switch (decideCancellation(row.state)) {
      case 'nothing':
        // Handled all the same, and the mark says so.
        await this.#rows.record(row, [], handling);
        return;
      case 'remember':
        await this.#rows.record(row, [forestalled], handling);
        return;
      case 'resolve':
        return this.#resolve(payment, handling, calls);
      case 'refund':
        if (payment.state.paymentId) await this.#refund(payment, payment.state.paymentId, handling, calls);
    }
  }

  /**
   * Finds out what became of a charge that may have been asked for before.
   * @returns the provider's answer; or none, when it may be charged (again), and that is on record
   */
  async #lookUpCharge(
    payment: Row<Payment>,
    cause: Cause,
    calls: ProviderCalls,
  ): Promise<[Row<Payment>, ChargeResult?]> {
    const found = await this.#lookUp(calls, (signal) => this.#provider.find(payment.state.chargeKey, signal));
    if (found.outcome === 'approved' || found.outcome === 'declined') return [payment, found];
    const charge = repeatedAttempt(payment.state.charge, found, this.#newId(), this.#now());
    if (!charge) throw new ChargeUndecidedError(payment.id, payment.state.chargeKey);
    return [await this.#rows.record(payment, [{ type: 'ChargeRepeated', charge }], cause)];
  }

  /** Ends a payment whose order ended while the outcome of its charge was unknown. */
  async #resolve(before: Row<Payment>, { inbox, ...cause }: Handling, calls: ProviderCalls): Promise<void> {
    const payment = before.state.cancelRequested
      ? before
      : await this.#rows.record(before, [{ type: 'CancellationRequested' }], cause);
    const { chargeKey, charge } = payment.state;
    const found = await this.#lookUp(calls, (signal) => this.#provider.find(chargeKey, signal));
    if (found.outcome === 'approved' || found.outcome === 'declined') {
      await this.#undo(payment, found, { ...cause, inbox }, calls);
    } else if (isCertainlyNone(charge, found, this.#now())) {
      await this.#rows.record(payment, [{ type: 'PaymentClosed' }], { ...cause, inbox });
    } else {
      throw new OutcomePendingError(payment.id, 'the provider cannot tell what became of the charge');
    }
  }

  async #undo(payment: Row<Payment>, answer: ChargeResult, handling: Handling, calls: ProviderCalls): Promise<void> {
    if (answer.outcome === 'approved') await this.#refund(payment, answer.paymentId, handling, calls);
    else await this.#rows.record(payment, [{ type: 'PaymentClosed' }], handling);
  }

  async #refund(
    payment: Row<Payment>,
    paymentId: string,
    { inbox, ...cause }: Handling,
    calls: ProviderCalls,
  ): Promise<void> {
    const { amount, chargeKey } = payment.state;
    const idempotencyKey = `${chargeKey}:refund`;
    let refund = firstAttempt(this.#newId(), this.#now());
    let refundId: string | undefined;
    if (payment.state.refund) {
      const found = await this.#lookUp(calls, (signal) => this.#provider.findRefund(idempotencyKey, signal));
      if (found.outcome === 'refunded') refundId = found.refundId;
      else {
        const repeated = repeatedAttempt(payment.state.refund, found, this.#newId(), this.#now());
        if (!repeated) throw new OutcomePendingError(payment.id, 'the provider cannot tell what became of the refund');
        refund = repeated;
      }
    }
    let refunding = payment;
    if (refundId === undefined) {
      refunding = await this.#rows.record(payment, [{ type: 'RefundRequested', paymentId, refund }], cause);
      ({ refundId } = await this.#request(calls, refund, (signal) =>
        this.#provider.refund({ idempotencyKey, paymentId, amount }, signal),
      ));
    }
    await this.#rows.record(refunding, [{ type: 'Refunded', paymentId, refundId }], { ...cause, inbox });
  }

  /** Sends a request that was just put on record. @throws ProviderUnavailableError when it was too long ago */
  #request<Result>(calls: ProviderCalls, attempt: Attempt, send: Call<Result>): Promise<Result> {
    return calls.run(async () => {
      if (maySend(attempt, this.#now())) return send(this.#timeLimit());
      throw new ProviderUnavailableError('it was not asked, because the function was stopped for too long before that');
    });
  }

  /** Asks what a request has done. */
  #lookUp<Result>(calls: ProviderCalls, ask: Call<Result>): Promise<Result> {
    return calls.lookUp(async () => ask(this.#timeLimit()));
  }

  #timeLimit(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}

const alwaysClosed: Pick<CircuitBreaker, 'handle'> = {
  handle: (work) => work({ enter: async () => {}, run: (call) => call(), lookUp: (call) => call() }),
};

/** The payments in the table MILLRACE_TABLE, through the sandbox and its circuit. @throws ConfigurationError */
export function paymentsFromEnvironment(variables: NodeJS.ProcessEnv = process.env): Payments {
  const table = tableFromEnvironment('MILLRACE_TABLE', variables);
  const circuit = new CircuitBreaker(CIRCUIT, {
    store: new DynamoDbCircuitStore(table, { pk: `CIRCUIT#${CIRCUIT}`, sk: 'CIRCUIT' }),
    settings: circuitSettingsFromEnvironment(variables),
    isFailure: (error) => error instanceof ProviderUnavailableError,
  });
  const hasOutages = variables.MILLRACE_SANDBOX_OUTAGES === 'true';
  return new Payments(table, new SandboxProvider(table.client, table.name, { hasOutages }), { circuit });
}

function publish(event: PaymentEvent, { amount }: Payment, context: EventContext) {
  const orderId = context.subject;
  switch (event.type) {
    case 'ChargeApproved':
      return PaymentProcessed.create({ ...event.order, paymentId: event.paymentId }, context);
    case 'ChargeDeclined': {
      const { reason, process } = event;
      return PaymentFailed.create({ orderId, reason, amount, ...(process && { process }) }, context);
    }
    case 'Refunded': {
      const { paymentId, refundId } = event;
      return PaymentRefunded.create({ orderId, paymentId, refundId, amount }, context);
    }
    default:
      return undefined;
  }
}
