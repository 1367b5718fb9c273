import type { Rule } from '../rule.ts';
import { at, type Entry, entries, isSame } from '../template.ts';

/** What has to be set, by type; a bus, its archive and log groups are encrypted in any case. */
const encrypted: Readonly<Record<string, { property: string; isSet: (properties: Entry['properties']) => boolean }>> = {
  'AWS::SQS::Queue': {
    property: 'SqsManagedSseEnabled: true or KmsMasterKeyId',
    // Which key, the type's shape looks at; SQS takes one of the two.
    isSet: ({ SqsManagedSseEnabled, KmsMasterKeyId }) =>
      KmsMasterKeyId === undefined ? SqsManagedSseEnabled === true : SqsManagedSseEnabled === undefined,
  },
  'AWS::SNS::Topic': {
    property: 'KmsMasterKeyId',
    isSet: ({ KmsMasterKeyId }) => KmsMasterKeyId !== undefined,
  },
  'AWS::DynamoDB::Table': {
    property: 'SSESpecification.SSEEnabled: true',
    isSet: ({ SSESpecification }) => at(SSESpecification, 'SSEEnabled') === true,
  },
  'AWS::Kinesis::Stream': {
    property: 'StreamEncryption',
    isSet: ({ StreamEncryption }) => at(StreamEncryption, 'EncryptionType') === 'KMS',
  },
  'AWS::KinesisFirehose::DeliveryStream': {
    property: 'DeliveryStreamEncryptionConfigurationInput with a key of AWS',
    // Records wait for minutes: a key of our own would need a grant for whoever deploys. Those of a stream of Kinesis wait there, and
    // AWS takes no key here. https://docs.aws.amazon.com/firehose/latest/dev/encryption.html
    isSet: ({ DeliveryStreamEncryptionConfigurationInput: input, KinesisStreamSourceConfiguration: source }) =>
      source === undefined ? isSame(input, { KeyType: 'AWS_OWNED_CMK' }) : input === undefined,
  },
  'AWS::S3::Bucket': {
    property: 'BucketEncryption',
    isSet: ({ BucketEncryption }) => BucketEncryption !== undefined,
  },
};

/** https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_protect_data_rest_encrypt.html */
export const encryptionAtRest: Rule = {
  name: 'encryption-at-rest',
  why: 'messages, rows and alarms are not to be read from a disk',
  check(service) {
    return entries(service).flatMap(({ id, type, properties }) => {
      const requirement = encrypted[type];
      if (!requirement || requirement.isSet(properties)) return [];
      return [{ resource: id, problem: `has no ${requirement.property}` }];
    });
  },
};
