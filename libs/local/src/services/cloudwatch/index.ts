import type { Stack } from '@millrace/cloudformation';
import type { AwsService } from '../../core/service.ts';
import { sqs } from '../sqs/index.ts';
import type { AlarmStatus } from './alarm.ts';
import { Alarms } from './alarms.ts';
import { ObservedMetrics } from './observed-metrics.ts';
import { cloudWatchResourceTypes } from './resource-types.ts';

/** What other services may use of CloudWatch. */
export interface LocalCloudWatch {
  /** The metrics of functions and streams. */
  observed: ObservedMetrics;
  alarms: () => readonly AlarmStatus[];
}

/** The metric alarms of CloudWatch. It has no API here. */
export const cloudWatch: AwsService<LocalCloudWatch> = {
  name: 'cloudwatch',
  resourceTypes: cloudWatchResourceTypes,
  access: () => undefined,
  async start(host) {
    const { accountId, region, options, deliver, warn } = host;
    const observed = new ObservedMetrics();
    const { metric: queueMetric } = host.handleOf(sqs);
    let alarms: Alarms | undefined;
    const list = () => alarms?.list() ?? [];
    return {
      handle: { observed, alarms: list },
      activate: (stacks) => {
        alarms = new Alarms({
          resources: stacks.flatMap(alarmsOf),
          accountId,
          region,
          periodSeconds: options.alarmPeriod,
          read: queueMetric,
          observed,
          publish: (topicArn, { Subject, Message }, sourceArn) =>
            deliver(topicArn, Message, {
              subject: Subject,
              sender: { service: 'cloudwatch.amazonaws.com', sourceArn },
            }),
          onChange: (change) => options.onAlarm?.(change),
          onWarning: warn,
        });
        alarms.start();
      },
      console: () => ({ alarms: list() }),
      [Symbol.asyncDispose]: async () => alarms?.stop(),
    };
  },
};

function alarmsOf(stack: Stack) {
  return stack.resourcesOfType('AWS::CloudWatch::Alarm').map(({ logicalId, name }) => ({
    name,
    arn: stack.attribute(logicalId, 'Arn'),
    properties: stack.properties(logicalId),
  }));
}
