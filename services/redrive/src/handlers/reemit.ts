import { type ReemitResponse, reemitRequestSchema } from '@millrace/dead-letters';
import { PermanentError } from '@millrace/errors';
import { publishMetrics } from '@millrace/telemetry';
import * as z from 'zod';
import { reEmitterFromEnvironment } from '../adapters/re-emitter.ts';

const reEmitter = reEmitterFromEnvironment();

/**
 * Puts the events of messages that the caller has received from a dead-letter queue back on the bus, and takes those out
 * of the queue that EventBridge has accepted.
 *
 * @param request a ReemitRequest, see libs/dead-letters
 * @throws PermanentError when the request is none
 */
export async function handler(request: unknown): Promise<ReemitResponse> {
  const { success, data, error } = reemitRequestSchema.safeParse(request);
  if (!success) throw new PermanentError('INVALID_REQUEST', z.prettifyError(error));
  try {
    return { results: await reEmitter.reemit(data) };
  } finally {
    publishMetrics();
  }
}
