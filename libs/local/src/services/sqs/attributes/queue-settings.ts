import type { QueueAttributes } from './queue-attributes.ts';
import type { RedriveAllowPolicy, RedrivePolicy } from './redrive-policy.ts';

/** What a queue's attributes mean: computed once when they change, read with every message. */
export interface QueueSettings {
  readonly delayMs: number;
  readonly visibilityMs: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly maximumMessageSize: number;
  readonly contentBasedDeduplication: boolean;
  readonly deduplicationScope: 'queue' | 'messageGroup';
  readonly redrivePolicy: RedrivePolicy | undefined;
  readonly redriveAllowPolicy: RedriveAllowPolicy | undefined;
}

/** @param attributes as `changeAttributes` returns them */
export function settingsOf(attributes: QueueAttributes): QueueSettings {
  const seconds = (name: string): number => Number(attributes[name]) * 1000;
  return {
    delayMs: seconds('DelaySeconds'),
    visibilityMs: seconds('VisibilityTimeout'),
    retentionMs: seconds('MessageRetentionPeriod'),
    waitMs: seconds('ReceiveMessageWaitTimeSeconds'),
    maximumMessageSize: Number(attributes.MaximumMessageSize),
    contentBasedDeduplication: attributes.ContentBasedDeduplication === 'true',
    deduplicationScope: attributes.DeduplicationScope === 'messageGroup' ? 'messageGroup' : 'queue',
    redrivePolicy: attributes.RedrivePolicy ? (JSON.parse(attributes.RedrivePolicy) as RedrivePolicy) : undefined,
    redriveAllowPolicy: attributes.RedriveAllowPolicy
      ? (JSON.parse(attributes.RedriveAllowPolicy) as RedriveAllowPolicy)
      : undefined,
  };
}
