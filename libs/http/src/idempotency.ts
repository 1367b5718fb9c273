import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyValidationError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
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
 * @throws Error when MILLRACE_IDEMPOTENCY_TABLE is not set.
 */
export function answerOnceByIdempotencyTable(tableName = process.env.MILLRACE_IDEMPOTENCY_TABLE): AnswerOnce {
  if (!tableName) throw new Error("MILLRACE_IDEMPOTENCY_TABLE must be the name of the service's idempotency table");
  const config = new IdempotencyConfig({
    eventKeyJmesPath: 'key',
    payloadValidationJmesPath: 'body',
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: ANSWER_SECONDS,
  });
  const once = makeIdempotent(
    async ({ answer }: { key: string; body: string; answer: Answer }) => ({ ...(await answer()) }),
    {
      persistenceStore: new DynamoDBPersistenceLayer({ tableName, validationKeyAttr: 'validation' }),
      config,
      keyPrefix: 'http',
    },
  );

  return async (key, body, context, answer) => {
    config.registerLambdaContext(context);
    try {
      return (await once({ key, body, answer })) as APIGatewayProxyStructuredResultV2;
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
