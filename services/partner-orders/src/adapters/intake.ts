import type { CheckoutRequest } from '@millrace/checkout/requests';
import { PermanentError } from '@millrace/errors';
import { derivedId } from '@millrace/events';
import type { CheckoutOrder } from '@millrace/orders/events';
import { type ContactPolicy, contactProblems, totalOf } from '@millrace/orders/requests';
import { logger, MetricUnit, metrics } from '@millrace/telemetry';
import type { SQSRecord } from 'aws-lambda';
import { InvalidOrderError } from '../domain/errors.ts';
import { customerIdOf, type Partner } from '../domain/partner.ts';
import { inPartnersWords, translate } from '../domain/partner-order.ts';
import type { Claims } from './claims.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';

interface Dependencies {
  partner: Partner;
  contactPolicy: ContactPolicy;
  claims: Pick<Claims, 'claim'>;
  deadLetters: Pick<DeadLetterQueue, 'move'>;
}

/** Takes in the orders of one partner. */
export class Intake {
  readonly #dependencies: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes orders of messages. One that is refused becomes a dead letter and is left out, so that it holds up no other.
   *
   * A pipe takes no answer for a part of a batch: when one order can neither be admitted nor refused, because the table is
   * busy, all come again. So no letter is written before the whole batch is decided.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
   *
   * @returns the orders that were admitted. The same message again gives the same order
   * @throws what AWS answers while the table or the dead-letter queue is not available
   */
  async admit(records: readonly SQSRecord[]): Promise<CheckoutRequest[]> {
    const decided = await Promise.all(records.map((record) => this.#decide(record)));
    const admitted: CheckoutRequest[] = [];
    for (const { record, outcome } of decided) {
      const { messageId } = record;
      if (outcome instanceof PermanentError) {
        logger.error('Order goes to the dead-letter queue', { message_id: messageId, error: outcome });
        await this.#dependencies.deadLetters.move(record, outcome);
        metrics.addMetric('PartnerOrderRefused', MetricUnit.Count, 1);
      } else {
        logger.info('Order admitted', { message_id: messageId, order_id: outcome.orderId });
        admitted.push({ messageId, order: outcome });
        metrics.addMetric('PartnerOrderAdmitted', MetricUnit.Count, 1);
      }
    }
    return admitted;
  }

  async #decide(record: SQSRecord): Promise<{ record: SQSRecord; outcome: CheckoutOrder | PermanentError }> {
    try {
      return { record, outcome: await this.#order(record.body) };
    } catch (error) {
      if (error instanceof PermanentError) return { record, outcome: error };
      throw error;
    }
  }

  async #order(body: string): Promise<CheckoutOrder> {
    const { partner, contactPolicy, claims } = this.#dependencies;
    const { orderNumber, digest, request } = translate(body, partner);
    const { currency, customer, ...order } = request;
    const id = customerIdOf(partner);
    // The partner answers for its customers' addresses, as the issuer of a token does for its subject's.
    const caller = { subject: id, scopes: [], email: customer.email, ...(customer.phone && { phone: customer.phone }) };
    const problems = contactProblems(customer, caller, contactPolicy);
    if (problems.length > 0) {
      const issues = problems.map(({ field, detail }) => ({
        path: inPartnersWords(field.slice(1).split('/')),
        message: detail,
      }));
      throw new InvalidOrderError(issues);
    }
    await claims.claim(partner.name, { orderNumber, digest });
    return {
      orderId: derivedId(['partner-order', partner.name, orderNumber]),
      customer: { id, ...customer },
      ...order,
      total: { amount: totalOf(order.lines), currency },
      process: 'checkout',
    };
  }
}
