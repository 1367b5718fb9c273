import type { InboxKey } from '@millrace/events';
import type { Context } from 'aws-lambda';

/** Runs `effect` at most once for each key, as far as the marks can tell. */
export type RunOnce = (key: string, context: Context, effect: () => Promise<void>) => Promise<void>;

/** Writes down that a consumer has handled an event with all its steps. To write it down again changes nothing. */
export type RecordHandled = (key: InboxKey) => Promise<void>;

/** Marks of effects outside DynamoDB, see `idempotencyMarks` of @millrace/consumer/idempotency. */
export interface EffectMarks {
  runOnce: RunOnce;
  recordHandled: RecordHandled;
}
