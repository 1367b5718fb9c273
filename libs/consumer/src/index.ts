export {
  type ConsumeDependencies,
  type ConsumeOptions,
  type ConsumerMiddleware,
  consume,
  consumeBatch,
} from './consume.ts';
export type { RecordContext } from './delivery.ts';
export type { RunOnce } from './idempotency.ts';
