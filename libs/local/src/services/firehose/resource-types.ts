import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import { type Firehose, MEMBERS } from './firehose.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kinesisfirehose-deliverystream.html */
export const firehoseResourceTypes: Readonly<Record<string, ResourceType<Firehose>>> = {
  'AWS::KinesisFirehose::DeliveryStream': {
    nameProperty: 'DeliveryStreamName',
    attributes: { Arn: arnOf('firehose', ({ name }) => `deliverystream/${name}`) },
    properties: MEMBERS,
    create: ({ name, properties }, firehose) => firehose.declare(name, properties),
  },
};
