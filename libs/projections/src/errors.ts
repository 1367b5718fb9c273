import { PermanentError, TransientError } from '@millrace/errors';

/**
 * The codes this library raises.
 * @public
 */
export const errorCodes = {
  SEQUENCE_GAP: 'An event came before one that it has to wait for.',
  SEQUENCE_MISSING: 'An event does not say which of its aggregate it is.',
  REBUILD_UNDER_WAY: 'Somebody else rebuilds the projection.',
  REBUILD_TAKEN_OVER: 'Somebody else has taken this rebuild for dead and goes on with it.',
} as const;

/** An event has to wait: an earlier one of its aggregate is not in the projection. */
export class SequenceGapError extends TransientError {
  constructor(projection: string, subject: string, missing: number, sequence: number) {
    super(
      'SEQUENCE_GAP',
      `${projection} has not had event ${missing} of ${subject}, and event ${sequence} has to wait for it: look for it in the dead-letter queues, or rebuild the projection`,
    );
  }
}

/** Two rebuilds of one projection at a time would only do the same work twice. */
export class RebuildUnderWayError extends PermanentError {
  constructor(projection: string) {
    super('REBUILD_UNDER_WAY', `A rebuild of ${projection} is under way: wait for its end`);
  }
}

/** This rebuild stood still for so long that another one has taken its place. */
export class RebuildTakenOverError extends PermanentError {
  constructor(projection: string) {
    super('REBUILD_TAKEN_OVER', `Another rebuild of ${projection} has gone on in place of this one`);
  }
}
