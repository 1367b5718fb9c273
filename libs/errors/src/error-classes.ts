/**
 * The kinds of failure a consumer distinguishes. Every error Millrace raises on purpose extends one of them and
 * carries a stable `code` for alarms, dead-letter attributes and problem documents.
 */
export abstract class MillraceError extends Error {
  /** Stable, upper-case identifier, e.g. `SCHEMA_VIOLATION`. Messages may change between versions, codes may not. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The same input may succeed later (a throttle, a timeout, a lost race): it is retried with backoff. */
export class TransientError extends MillraceError {}

/**
 * What the work needs (a store, a provider) is busy or down, so the failure says nothing about the input. An endpoint answers
 * 503; a consumer defers the record: it does not count as a failed attempt.
 * @example throw new UnavailableError('CARRIER_DOWN', 'The carrier does not answer', { cause: error });
 */
export class UnavailableError extends TransientError {
  /** When another attempt makes sense, if that is known: not sooner than after so many seconds, and spread over so many more. */
  readonly wait: { afterSeconds: number; spreadSeconds: number } | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { wait?: UnavailableError['wait'] } = {}) {
    super(code, message, options);
    this.wait = options.wait;
  }
}

/** The same input can never succeed: it goes to the dead-letter queue at once, with its reason. */
export class PermanentError extends MillraceError {}

/** The effect of this event is already stored. A consumer acknowledges it and does nothing more. */
export class DuplicateEventError extends MillraceError {
  constructor(consumer: string, eventId: string, options?: ErrorOptions) {
    super('DUPLICATE_EVENT', `${consumer} has already handled event ${eventId}`, options);
  }
}
