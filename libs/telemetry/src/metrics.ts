import { Metrics } from '@aws-lambda-powertools/metrics';

/**
 * The function's metrics in CloudWatch's embedded metric format, in the namespace POWERTOOLS_METRICS_NAMESPACE, or
 * `Millrace` without it.
 */
export const metrics = new Metrics({ namespace: process.env.POWERTOOLS_METRICS_NAMESPACE || 'Millrace' });

/** Writes what was measured during an invocation; nothing when nothing was. */
export function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}
