import { createHash } from 'node:crypto';

/** Why a consumer gave a message up: its input can never succeed, or its attempts are used up. */
export type FailureKind = 'permanent' | 'exhausted';

/** What a consumer tells about a message it gives up. */
export interface Failure {
  /** Stable code of the error, e.g. `SCHEMA_VIOLATION`. */
  code: string;
  message: string;
  kind: FailureKind;
  /** `inventory.onOrderPlaced` */
  consumer: string;
  functionName: string | undefined;
  /** Attempts at the message, the last one included. One that ended with a deferral does not count. */
  attempts: number;
  firstFailedAt: Date;
  lastFailedAt: Date;
  correlationId: string | undefined;
}

/**
 * The attributes a message carries in a consumer's dead-letter queue. They are ten, as many as SQS allows.
 *
 * @param body the message's body, unchanged; its digest goes along
 * @returns texts by name, the most important first
 */
export function failureAttributes(failure: Failure, body: string): Record<string, string | undefined> {
  return {
    ErrorCode: failure.code,
    FailureKind: failure.kind,
    Consumer: failure.consumer,
    ErrorMessage: failure.message,
    Attempts: String(failure.attempts),
    FirstFailedAt: failure.firstFailedAt.toISOString(),
    LastFailedAt: failure.lastFailedAt.toISOString(),
    CorrelationId: failure.correlationId,
    EventDigest: eventDigest(body),
    FunctionName: failure.functionName,
  };
}

/** SHA-256 of a body in base64url: tells whether somebody edited a dead event since its consumer gave it up. */
export function eventDigest(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}
