export { MetricUnit } from '@aws-lambda-powertools/metrics';
export { eventLogger, Logger, logger } from './logger.ts';
export { metrics, publishMetrics } from './metrics.ts';
export { nextTraceparent } from './traceparent.ts';
