export { snsAccess } from './access.ts';
export { type Sns, type SnsOptions, startSns } from './api.ts';
export { summarizeTopics, type TopicSummary } from './console.ts';
export type { SnsCaller } from './context.ts';
export { createSnsHandler, type SnsHandlerOptions } from './protocol/handler.ts';
export { type SnsResourceType, snsResourceTypes } from './resource-types.ts';
export { snsMeters, snsUsage } from './usage.ts';
