import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { firehoseAccess } from './access.ts';
import { firehoseDifferences } from './differences.ts';
import { Firehose } from './firehose.ts';
import { FIREHOSE_METRICS } from './metrics.ts';
import { firehoseResourceTypes } from './resource-types.ts';
import { firehoseMeters } from './usage.ts';

const TYPE = 'AWS::KinesisFirehose::DeliveryStream';

/** Amazon Data Firehose. https://docs.aws.amazon.com/firehose/latest/dev/what-is-this-service.html */
export const firehose: AwsService<Firehose> = {
  name: 'firehose',
  differences: firehoseDifferences,
  protocols: ['json'],
  targets: ['Firehose_20150804'],
  resourceTypes: firehoseResourceTypes,
  access: firehoseAccess,
  meters: firehoseMeters,
  deliveryAction: 'firehose:PutRecord',
  metrics: { 'AWS/Firehose': FIREHOSE_METRICS },
  start: startFirehose,
};

async function startFirehose(host: Host): Promise<RunningService<Firehose>> {
  const handle = new Firehose(host);
  return {
    handle,
    api: apiOf('Firehose', handle.operations),
    isThere: (arn) => handle.isThere(arn),
    deliver: async (arn, payload) => {
      const DeliveryStreamName = arn.split(':deliverystream/')[1];
      handle.call('PutRecord', { DeliveryStreamName, Record: { Data: Buffer.from(payload).toString('base64') } });
    },
    activate: (stacks) =>
      handle.activate(new Set(stacks.flatMap((stack) => stack.resourcesOfType(TYPE).map(({ name }) => name)))),
    deactivate: () => handle.stop(),
    console: () => handle.console(),
    [Symbol.asyncDispose]: async () => {
      await handle.stop();
      handle.close();
    },
  };
}
