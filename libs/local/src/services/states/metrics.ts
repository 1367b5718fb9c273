import type { MetricReport } from '../../core/observations.ts';
import type { ExecutionState } from './engine/execution-state.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html */
export const STATES_METRICS = [
  ...['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'],
  ...['ExecutionTime', 'ExecutionsRedriven'],
];

const names: Readonly<Partial<Record<ExecutionState['status'], string>>> = {
  SUCCEEDED: 'ExecutionsSucceeded',
  FAILED: 'ExecutionsFailed',
  TIMED_OUT: 'ExecutionsTimedOut',
  ABORTED: 'ExecutionsAborted',
};

/** The metrics of an execution that has begun or ended. */
export function metricsOf({ status, machineArn, startedAt, stoppedAt, redriveCount }: ExecutionState): MetricReport[] {
  const report = (name: string, value: number, unit: string): MetricReport => ({
    ...{ namespace: 'AWS/States', name, value, unit },
    dimensions: { StateMachineArn: machineArn },
  });
  const ended = names[status];
  if (ended === undefined) return [report(redriveCount === 0 ? 'ExecutionsStarted' : 'ExecutionsRedriven', 1, 'Count')];
  return [report(ended, 1, 'Count'), report('ExecutionTime', (stoppedAt ?? startedAt) - startedAt, 'Milliseconds')];
}
