export {
  type Cause,
  type ConsumeDependencies,
  type ConsumeOptions,
  type ConsumerHandler,
  consume,
  type InboxKey,
  type RecordContext,
} from './consume.ts';
export type { RunOnce } from './idempotency.ts';
export { ConfigurationError, type ConsumerSettings, type ReplayMode } from './settings.ts';
