import { variableFrom } from '@millrace/errors';

/**
 * The name of the service's idempotency table: MILLRACE_IDEMPOTENCY_TABLE.
 *
 * @throws ConfigurationError when it is not set
 * @example new IdempotencyTable(idempotencyTableFromEnvironment(), { keyPrefix: 'consumer', expiresAfterSeconds });
 */
export function idempotencyTableFromEnvironment(variables: NodeJS.ProcessEnv = process.env): string {
  return variableFrom('MILLRACE_IDEMPOTENCY_TABLE', "the name of the service's idempotency table", variables);
}
