import type { Stack } from '@millrace/cloudformation';
import { expendable } from '../../core/expendable.ts';
import { rpcV2Cbor } from '../../core/protocols/cbor.ts';
import { awsQuery } from '../../core/protocols/query.ts';
import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { sqs } from '../sqs/index.ts';
import { cloudWatchAccess } from './access.ts';
import type { AlarmStatus } from './alarm.ts';
import type { MetricSources } from './alarm-evaluation.ts';
import { Alarms } from './alarms.ts';
import { cloudWatchApi } from './api.ts';
import { cloudWatchDifferences } from './differences.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { MetricRecorder } from './metric-recorder.ts';
import { MetricStore } from './metric-store.ts';
import { ObservedMetrics } from './observed-metrics.ts';
import { cloudWatchResourceTypes } from './resource-types.ts';
import { inputs } from './shapes.ts';

/** What other services may use of CloudWatch. Metrics are reported with `host.metric`. */
export interface LocalCloudWatch {
  /** Takes the metrics out of log events that have some. */
  readEvents: (events: readonly { timestamp: number; message: string }[]) => void;
  alarms: () => readonly AlarmStatus[];
}

const HOUR_MS = 3_600_000;

/** CloudWatch metrics and alarms. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/WhatIsCloudWatch.html */
export const cloudWatch: AwsService<LocalCloudWatch> = {
  name: 'monitoring',
  differences: cloudWatchDifferences,
  protocols: [
    'json',
    rpcV2Cbor,
    awsQuery({
      namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
      inputs,
      errorCodes: {
        InvalidParameterValueException: 'InvalidParameterValue',
        InvalidParameterCombinationException: 'InvalidParameterCombination',
      },
    }),
  ],
  targets: ['GraniteServiceVersion20100801'],
  resourceTypes: cloudWatchResourceTypes,
  access: cloudWatchAccess,
  refusal: { code: 'AccessDenied', status: 403 },
  start: startCloudWatch,
};

async function startCloudWatch(host: Host): Promise<RunningService<LocalCloudWatch>> {
  const { clock } = host;
  const observed = new ObservedMetrics();
  const store = new MetricStore(host.dataDirectory);
  const recorder = new MetricRecorder(store, observed, clock, host.warn);
  host.onMetric((report) => recorder.report(report));
  const { metric: read } = host.handleOf(sqs);
  const alarmsOf = (stacks: readonly Stack[]): Alarms => createAlarms(stacks, host, { observed, read });
  let alarms = alarmsOf([]);
  const remove = expendable('Expired metrics stay for another hour', host.warn, () => store.expire(clock.now()));
  const expire = (): void => {
    recorder.flush();
    remove();
    timer = clock.setTimer(clock.now() + HOUR_MS, expire);
  };
  let timer = clock.setTimer(clock.now() + HOUR_MS, expire);
  const api = apiOf(
    'CloudWatch',
    cloudWatchApi(store, recorder, clock, () => alarms),
  );
  return {
    handle: {
      readEvents: (events) => {
        const reports = events.flatMap(({ message, timestamp }) => embeddedMetrics(message, timestamp));
        if (reports.length > 0) recorder.add(reports);
      },
      alarms: () => alarms.list(),
    },
    api: (call) => {
      recorder.flush();
      return api(call);
    },
    activate: (stacks) => {
      alarms = alarmsOf(stacks);
      alarms.start();
    },
    console: () => ({ alarms: alarms.list() }),
    [Symbol.asyncDispose]: async () => {
      alarms.stop();
      timer.cancel();
      recorder.flush();
      store.close();
    },
  };
}

function createAlarms(stacks: readonly Stack[], host: Host, sources: MetricSources): Alarms {
  const { accountId, region, clock, options, warn } = host;
  return new Alarms({
    ...{ accountId, region, clock, ...sources },
    resources: stacks.flatMap((stack) =>
      stack.resourcesOfType('AWS::CloudWatch::Alarm').map(({ logicalId, name }) => ({
        name,
        arn: stack.attribute(logicalId, 'Arn'),
        properties: stack.properties(logicalId),
      })),
    ),
    periodSeconds: options.alarmPeriod,
    reports: host.reportsMetric,
    publish: (topicArn, { Subject, Message }, sourceArn) =>
      host.deliver(topicArn, Message, {
        subject: Subject,
        sender: { service: 'cloudwatch.amazonaws.com', sourceArn },
      }),
    onChange: (change) => options.onAlarm?.(change),
    onWarning: warn,
  });
}
