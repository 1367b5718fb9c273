import { IdempotencyAlreadyInProgressError, IdempotencyTable, IdempotencyValidationError } from '@millrace/idempotency';
import { idempotencyTableFromEnvironment } from '@millrace/idempotency/table-name';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { HttpError } from './problem.ts';

/** How long an answer is remembered. */
const ANSWER_SECONDS = 24 * 60 * 60;

type Answer = () => Promise<APIGatewayProxyStructuredResultV2>;

/** Gives the remembered answer for `key`, or makes and remembers it. */
export type AnswerOnce = (
  key: string,
  body: string,
  context: Context,
  answer: Answer,
) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Remembers answers by Idempotency-Key in the service's idempotency table, by Powertools idempotency.
 * The answers throw HttpError 422 when the key came with another body before, and 409 while the first call is running.
 * @throws ConfigurationError when MILLRACE_IDEMPOTENCY_TABLE is not set.
 */
export function answerOnceByIdempotencyTable(tableName = idempotencyTableFromEnvironment()): AnswerOnce {
  const table = new IdempotencyTable(tableName, { keyPrefix: 'http', expiresAfterSeconds: ANSWER_SECONDS });

  return async (key, body, context, answer) => {
    try {
      return await table.run({ key, payload: body, context }, answer);
    } catch (error) {
      if (error instanceof IdempotencyValidationError) {
        throw new HttpError(422, 'IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used with another body');
      }
      if (error instanceof IdempotencyAlreadyInProgressError) {
        throw new HttpError(409, 'REQUEST_IN_PROGRESS', 'A request with this Idempotency-Key is being handled');
      }
      throw error;
    }
  };
}
