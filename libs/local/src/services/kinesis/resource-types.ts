import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import type { Kinesis } from './kinesis.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Kinesis.html */
export const kinesisResourceTypes: Readonly<Record<string, ResourceType<Kinesis>>> = {
  'AWS::Kinesis::Stream': {
    nameProperty: 'Name',
    attributes: { Arn: arnOf('kinesis', ({ name }) => `stream/${name}`) },
    properties: [
      ...['Name', 'ShardCount', 'StreamModeDetails', 'RetentionPeriodHours', 'StreamEncryption', 'Tags'],
      ...['MaxRecordSizeInKiB', 'DesiredShardLevelMetrics'],
    ],
    create: async ({ name, properties }, kinesis) => kinesis.streams.declare(name, properties),
  },
};
