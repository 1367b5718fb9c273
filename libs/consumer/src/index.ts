export {
  type BatchConsumeOptions,
  type ConsumeDependencies,
  type ConsumeOptions,
  type ConsumerHandler,
  type ConsumerMiddleware,
  consume,
  consumeBatch,
} from './consume.ts';
export type { EventRecord, RecordContext } from './delivery.ts';
export type { RunOnce } from './idempotency.ts';
export type { ConsumerSettings, ReplayMode } from './settings.ts';
