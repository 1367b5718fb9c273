export {
  type BatchConsumeOptions,
  type ConsumeDependencies,
  type ConsumeOptions,
  type ConsumerHandler,
  consume,
  consumeBatch,
} from './consume.ts';
export type { Cause, EventRecord, InboxKey, RecordContext } from './delivery.ts';
export type { RunOnce } from './idempotency.ts';
export { ConfigurationError, type ConsumerSettings, type ReplayMode } from './settings.ts';
