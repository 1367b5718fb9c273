import { randomUUID } from 'node:crypto';
import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { kinesisAccess } from './access.ts';
import { kinesisDifferences } from './differences.ts';
import { Kinesis } from './kinesis.ts';
import { KINESIS_METRICS } from './metrics.ts';
import { kinesisResourceTypes } from './resource-types.ts';
import { countPutRecords } from './usage.ts';

/** Kinesis Data Streams. https://docs.aws.amazon.com/streams/latest/dev/introduction.html */
export const kinesis: AwsService<Kinesis> = {
  name: 'kinesis',
  differences: kinesisDifferences,
  protocols: ['json'],
  targets: ['Kinesis_20131202'],
  resourceTypes: kinesisResourceTypes,
  access: kinesisAccess,
  meters: { 'kinesis.payloadUnits': 'records put, each 25 KB is one [function]' },
  deliveryAction: 'kinesis:PutRecord',
  metrics: { 'AWS/Kinesis': KINESIS_METRICS },
  start: startKinesis,
};

/** Starts the service alone, for a test. */
export async function startKinesis(host: Host): Promise<RunningService<Kinesis>> {
  const handle = new Kinesis(host);
  return {
    handle,
    api: apiOf('Kinesis', handle.operations),
    isThere: (arn) => handle.isThere(arn),
    deliver: async (StreamARN, payload, { partitionKey = randomUUID() }) => {
      handle.call('PutRecord', {
        StreamARN,
        PartitionKey: partitionKey,
        Data: Buffer.from(payload).toString('base64'),
      });
    },
    meter: (usage, call) => countPutRecords(usage, call),
    activate: (stacks) => {
      handle.streams.keep(
        new Set(stacks.flatMap((stack) => stack.resourcesOfType('AWS::Kinesis::Stream').map(({ name }) => name))),
      );
    },
    console: () => handle.console(),
    [Symbol.asyncDispose]: async () => handle.close(),
  };
}
