import { type SubjectQuota, subjectQuotaFromEnvironment } from '@millrace/http';

/**
 * How many slots a customer may ask for in an hour. Refused requests count too, and those that ask for another code: what is counted is what
 * the service does for the customer.
 *
 * @throws Error when MILLRACE_IDEMPOTENCY_TABLE or MILLRACE_RESERVATIONS_PER_HOUR is not valid
 */
export function reservationQuotaFromEnvironment(
  { MILLRACE_RESERVATIONS_PER_HOUR: reservations } = process.env,
): SubjectQuota {
  return subjectQuotaFromEnvironment({ name: 'reservations', windowSeconds: 3600, limit: Number(reservations) });
}
