import { PermanentError, TransientError } from '@millrace/errors';

/**
 * The codes of a message that was not sent.
 * @public
 */
export const errorCodes = {
  MESSAGE_REFUSED: 'SES or SNS will never accept the message: its address, its content or the sender is at fault.',
  MESSAGE_NOT_SENT: 'SES or SNS did not accept the message this time.',
} as const;

export class MessageRefusedError extends PermanentError {
  constructor(reason: string) {
    super('MESSAGE_REFUSED', reason);
  }
}

export class MessageNotSentError extends TransientError {
  constructor(reason: string) {
    super('MESSAGE_NOT_SENT', reason);
  }
}

/**
 * Classifies an SDK error by its name. Neither its message nor the error itself is kept: AWS quotes the address in it,
 * and what is thrown here is logged and stands in the dead-letter queue.
 */
export function deliveryError(service: 'SES' | 'SNS', permanent: ReadonlySet<string>, error: unknown): Error {
  const { name, requestId } = identityOf(error);
  const reason = `${service}: ${name}${requestId ? ` (request ${requestId})` : ''}`;
  return permanent.has(name) ? new MessageRefusedError(reason) : new MessageNotSentError(reason);
}

function identityOf(error: unknown): { name: string; requestId?: string | undefined } {
  if (!(error instanceof Error)) return { name: 'Error' };
  const { $metadata } = error as Error & { $metadata?: { requestId?: string } };
  return { name: error.name, requestId: $metadata?.requestId };
}
