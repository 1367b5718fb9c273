export {
  type Cause,
  type ConsumeDependencies,
  type ConsumeOptions,
  consume,
  type InboxKey,
  type RecordContext,
} from './consume.ts';
export type { RunOnce } from './idempotency.ts';
export { ConfigurationError, type ConsumerSettings, type ReplayMode } from './settings.ts';
