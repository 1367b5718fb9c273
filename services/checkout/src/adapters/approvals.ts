import {
  type CommandRunnerOptions,
  type RowContext,
  type RowRunner,
  retryOnConflict,
  rowRunner,
  type Table,
} from '@millrace/event-store';
import type { EventContext } from '@millrace/events';
import type { OrderSnapshot } from '@millrace/orders/events';
import { CheckoutApprovalRequested } from '../../events/index.ts';
import {
  type ApprovalCommand,
  type ApprovalEvent,
  type ApprovalRequest,
  type Decision,
  decide,
  evolve,
} from '../domain/approval.ts';

/** The approvals that checkouts of one table wait for, one row for each. */
export class Approvals {
  readonly #rows: RowRunner<ApprovalRequest, ApprovalCommand, ApprovalEvent>;
  readonly #options: CommandRunnerOptions;
  readonly #now: () => Date;

  constructor(table: Table, options: CommandRunnerOptions = {}) {
    const key = (checkoutId: string) => ({ pk: `CHECKOUT#${checkoutId}`, sk: 'APPROVAL' });
    this.#rows = rowRunner({ table, key, decide, evolve, publish }, options);
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Puts a request on record, in place of that of an earlier attempt, with the event that tells the approvers. One that comes late or
   * twice changes nothing.
   * @example await approvals.request(orderId, { taskToken, attempt: 0, total }, cause);
   */
  async request(
    checkoutId: string,
    request: { taskToken: string; attempt: number; total: OrderSnapshot['total'] },
    cause: RowContext,
  ): Promise<void> {
    await this.#rows.execute(checkoutId, { type: 'RequestApproval', ...request, now: this.#now() }, cause);
  }

  /** The request of a checkout, or undefined when its approval was not asked for. */
  async find(checkoutId: string): Promise<ApprovalRequest | undefined> {
    return (await this.#rows.load(checkoutId)).state;
  }

  /**
   * Puts the decision on record, unless there is one.
   * @returns the request with the decision that counts, and true for `wasDecided` if that was there before; undefined
   *   when the approval was not asked for
   * @example const request = await approvals.decide(checkoutId, { approved: true, decidedBy: caller.subject }, { correlationId });
   */
  decide(
    checkoutId: string,
    decision: Decision,
    cause: RowContext,
  ): Promise<(ApprovalRequest & { wasDecided: boolean }) | undefined> {
    return retryOnConflict(async () => {
      const row = await this.#rows.load(checkoutId);
      const events = decide({ type: 'DecideApproval', decision, now: this.#now() }, row.state);
      // Not read afterwards: a later attempt may have asked again by then.
      const { state } = await this.#rows.record(row, events, cause);
      return state && { ...state, wasDecided: events.length === 0 };
    }, this.#options);
  }
}

function publish(event: ApprovalEvent, _: ApprovalRequest, context: EventContext) {
  if (event.type !== 'ApprovalRequested') return undefined;
  const { requestedAt, expiresAt } = event.request;
  const waits = { checkoutId: context.subject ?? '', status: 'AWAITING_APPROVAL' } as const;
  return CheckoutApprovalRequested.create({ ...waits, total: event.total, requestedAt, expiresAt }, context);
}
