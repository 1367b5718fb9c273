import { type ReemitResponse, reemitRequestSchema } from '@millrace/dead-letters';
import { PermanentError, variableFrom } from '@millrace/errors';
import { publishMetrics } from '@millrace/telemetry';
import * as z from 'zod';
import { reEmitterFromEnvironment } from '../adapters/re-emitter.ts';

const reEmitter = reEmitterFromEnvironment();
const stage = variableFrom('MILLRACE_STAGE', 'the name of the stage');

/** A request about a queue of this stage, as the function's role has it: millrace-*-<stage>-*dlq. */
const requestSchema = reemitRequestSchema.refine(({ queueName }) => queueName.includes(`-${stage}-`), {
  path: ['queueName'],
  error: `must be the name of a dead-letter queue of the stage ${stage}`,
});

/**
 * Puts the events of messages that the caller has received from a dead-letter queue back on the bus, and takes those out
 * of the queue that EventBridge has accepted.
 *
 * @param request a ReemitRequest, see libs/dead-letters
 * @throws PermanentError when the request is none
 */
export async function handler(request: unknown): Promise<ReemitResponse> {
  const { success, data, error } = requestSchema.safeParse(request);
  if (!success) throw new PermanentError('INVALID_REQUEST', z.prettifyError(error));
  try {
    return { results: await reEmitter.reemit(data) };
  } finally {
    publishMetrics();
  }
}
