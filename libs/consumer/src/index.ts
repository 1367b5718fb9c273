export {
  type ConsumeDependencies,
  type ConsumeOptions,
  type ConsumerMiddleware,
  consume,
  consumeBatch,
} from './consume.ts';
export { consumeStream } from './consume-stream.ts';
export type { RecordContext } from './delivery.ts';
export type { EffectMarks } from './effect-marks.ts';
