import { eventBridgeLimits } from '@millrace/events/aws-limits';
import * as z from 'zod';

/** Letters that one call of the re-emitter takes. */
export const MAX_REEMIT_MESSAGES = 50;

/**
 * Bytes of an event that gets through everywhere. The bus takes 1 MiB, but so do the queues behind it, with the envelope,
 * and with the reason when the event dies again: 16 KiB are left for those.
 */
export const MAX_EVENT_BYTES = eventBridgeLimits.bytesPerPut - 16 * 1024;

/** What the re-emitter function is invoked with: messages that the caller has received from one dead-letter queue. */
export const reemitRequestSchema = z.strictObject({
  /**
   * Name of the dead-letter queue they were received from: a consumer's or a rule's. Not its URL: the SDK would send a
   * signed request to wherever a URL points. The re-emitter looks for the queue beside its own parking queue.
   */
  queueName: z
    .string()
    .max(80)
    .regex(/^millrace-[A-Za-z0-9_-]+-dlq(\.fifo)?$/, 'must be the name of a dead-letter queue of Millrace'),
  messages: z
    .array(
      z.strictObject({
        messageId: z.string().min(1),
        receiptHandle: z.string().min(1),
        body: z.string(),
        /** String attributes of the message. */
        attributes: z.record(z.string(), z.string()),
      }),
    )
    .min(1)
    .max(MAX_REEMIT_MESSAGES),
});

export type ReemitRequest = z.infer<typeof reemitRequestSchema>;

/**
 * What became of one message. `reemitted`: on the bus and out of the queue. `parked`: in the parking queue and out of
 * this one. `kept`: still in the queue, for the reason given.
 */
export interface ReemitResult {
  messageId: string;
  outcome: 'reemitted' | 'parked' | 'kept';
  code?: string;
  reason?: string;
  /** Set when a message that was re-emitted or parked could not be deleted. */
  stillThere?: true;
}

/** One result for each message, in the same order. */
export interface ReemitResponse {
  results: ReemitResult[];
}
