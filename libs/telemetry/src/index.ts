export { Logger } from '@aws-lambda-powertools/logger';
export { MetricUnit } from '@aws-lambda-powertools/metrics';
export { eventLogger, logger } from './logger.ts';
export { metrics, publishMetrics } from './metrics.ts';
export { nextTraceparent } from './traceparent.ts';
