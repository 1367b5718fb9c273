export { type Sns, type SnsOptions, startSns } from './api.ts';
export type { SnsCaller } from './context.ts';
export { createSnsHandler, type SnsHandlerOptions } from './protocol/handler.ts';
