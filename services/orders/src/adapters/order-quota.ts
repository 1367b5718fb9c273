import { type SubjectQuota, subjectQuotaFromEnvironment } from '@millrace/http';

/**
 * How many orders a customer may place in an hour, and how many may fail at the payment before there are no more. It
 * bounds the mails and SMS that one customer causes, and the stock that orders hold which nobody pays for.
 *
 * @throws Error when MILLRACE_IDEMPOTENCY_TABLE, MILLRACE_ORDERS_PER_HOUR or MILLRACE_FAILED_PAYMENTS_PER_HOUR is not valid
 */
export function orderQuotaFromEnvironment(
  { MILLRACE_ORDERS_PER_HOUR: orders, MILLRACE_FAILED_PAYMENTS_PER_HOUR: failedPayments } = process.env,
): SubjectQuota {
  return subjectQuotaFromEnvironment({
    ...{ name: 'orders', windowSeconds: 3600 },
    ...{ limit: Number(orders), maxFailures: Number(failedPayments) },
  });
}
