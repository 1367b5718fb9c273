import { Metrics } from '@aws-lambda-powertools/metrics';

/** The function's metrics in CloudWatch's embedded metric format, namespace from POWERTOOLS_METRICS_NAMESPACE. */
export const metrics = new Metrics();
