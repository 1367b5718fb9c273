import type { Clock } from '../../core/clock.ts';
import type { Operations } from '../../core/service.ts';
import { type AlarmSource, describeAlarms, setAlarmState } from './alarms-api.ts';
import { getMetricData } from './metric-data.ts';
import type { MetricRecorder } from './metric-recorder.ts';
import type { MetricStore } from './metric-store.ts';
import { Metrics } from './metrics.ts';

/** The operations by name. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html */
export function cloudWatchApi(
  store: MetricStore,
  recorder: Pick<MetricRecorder, 'add'>,
  clock: Clock,
  alarms: () => AlarmSource,
): Operations {
  const metrics = new Metrics(store, recorder, clock);
  return {
    PutMetricData: (input) => metrics.put(input),
    ListMetrics: (input) => metrics.list(input),
    GetMetricStatistics: (input) => metrics.statistics(input),
    GetMetricData: (input) => getMetricData(store, input),
    DescribeAlarms: (input) => describeAlarms(alarms(), input),
    SetAlarmState: (input) => setAlarmState(alarms(), input),
  };
}
