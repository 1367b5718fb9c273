import { randomUUID } from 'node:crypto';
import type { Deliver } from '../../../core/delivery.ts';
import type { Host } from '../../../core/service.ts';
import { functionMetrics } from '../function-metrics.ts';
import type { Execution } from './execution-state.ts';

/**
 * Tells the default bus that an execution has another status.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
 *
 * @throws DeliveryError
 */
export async function announceStatus(execution: Execution, deliver: Deliver): Promise<void> {
  const { arn, name, functionArn, status, startedAt, endedAt } = execution;
  const [, , , region = '', account = ''] = arn.split(':');
  const time = new Date(endedAt ?? startedAt).toISOString();
  const event = {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Durable Execution Status Change',
    source: 'aws.lambda',
    account,
    time: `${time.slice(0, 19)}Z`,
    region,
    resources: [],
    detail: {
      durableExecutionArn: arn,
      durableExecutionName: name,
      functionArn,
      status,
      startTimestamp: new Date(startedAt).toISOString(),
      ...(endedAt !== undefined && { endTimestamp: new Date(endedAt).toISOString() }),
    },
  };
  await deliver(`arn:aws:events:${region}:${account}:event-bus/default`, JSON.stringify(event), {
    sender: { service: 'lambda.amazonaws.com', sourceArn: functionArn },
  });
}

const METRICS = {
  RUNNING: 'DurableExecutionStarted',
  SUCCEEDED: 'DurableExecutionSucceeded',
  FAILED: 'DurableExecutionFailed',
  TIMED_OUT: 'DurableExecutionTimedOut',
  STOPPED: 'DurableExecutionStopped',
} as const;

/**
 * Reports the metrics of a status, and counts what AWS bills of an execution that has ended: its start is an operation, too.
 * Same page, and https://aws.amazon.com/lambda/pricing/
 */
export function reportStatus(execution: Execution, host: Pick<Host, 'metric' | 'usage'>): void {
  const { functionName, status, startedAt, endedAt, operations, bytes } = execution;
  const report = functionMetrics(host, functionName);
  report(METRICS[status], 1);
  if (endedAt === undefined) return;
  report('DurableExecutionDuration', endedAt - startedAt);
  report('DurableExecutionOperations', operations);
  report('DurableExecutionStorageWrittenBytes', bytes);
  host.usage?.add('lambda.durableOperations', functionName, 1 + operations);
  host.usage?.add('lambda.durableBytes', functionName, bytes);
}
