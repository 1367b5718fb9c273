import type { Input } from '../../core/access.ts';
import { checkInput, flag, list, oneOf, required, type Shape, structure, text, whole } from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/firehose/latest/APIReference/API_Operations.html

const name = text({ min: 1, max: 64, pattern: /^[a-zA-Z0-9_.-]+$/ });
const named = { DeliveryStreamName: required(name) };
const roleArn = required(text({ min: 1, max: 512, pattern: /^arn:.*:iam::\d{12}:role\// }));
const tag = structure({ Key: required(text({ min: 1, max: 128 })), Value: text({ max: 256 }) });
const record = structure({ Data: required(text()) });
const processor = structure({
  Type: required(text({ min: 1 })),
  Parameters: list(
    structure({ ParameterName: required(text({ min: 1 })), ParameterValue: required(text({ min: 1, max: 5120 })) }),
  ),
});
const destination = structure({
  RoleARN: roleArn,
  BucketARN: required(text({ min: 1, max: 2048, pattern: /^arn:.*:s3:::[\w.-]{1,255}$/ })),
  Prefix: text({ max: 1024 }),
  ErrorOutputPrefix: text({ max: 1024 }),
  CompressionFormat: oneOf('UNCOMPRESSED', 'GZIP', 'ZIP', 'Snappy', 'HADOOP_SNAPPY'),
  FileExtension: text({ max: 128, pattern: /^$|^\.[0-9a-z!\-_.*'()]+$/ }),
  CustomTimeZone: text({ max: 50 }),
  ProcessingConfiguration: structure({ Processors: list(processor) }),
});

const inputs = {
  CreateDeliveryStream: structure({
    ...named,
    DeliveryStreamType: oneOf('DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'),
    KinesisStreamSourceConfiguration: structure({
      KinesisStreamARN: required(
        text({ min: 1, max: 512, pattern: /^arn:.*:kinesis:[^:]+:\d{12}:stream\/[\w.-]{1,128}$/ }),
      ),
      RoleARN: roleArn,
    }),
    ExtendedS3DestinationConfiguration: destination,
    S3DestinationConfiguration: destination,
    Tags: list(tag, { min: 1, max: 50 }),
  }),
  DeleteDeliveryStream: structure({ ...named, AllowForceDelete: flag() }),
  DescribeDeliveryStream: structure({ ...named, Limit: whole({ min: 1, max: 10_000 }) }),
  ListDeliveryStreams: structure({ Limit: whole({ min: 1, max: 10_000 }), ExclusiveStartDeliveryStreamName: name }),
  ListTagsForDeliveryStream: structure({ ...named, Limit: whole({ min: 1, max: 50 }), ExclusiveStartTagKey: text() }),
  PutRecord: structure({ ...named, Record: required(record) }),
  PutRecordBatch: structure({ ...named, Records: required(list(record, { min: 1, max: 500 })) }),
  TagDeliveryStream: structure({ ...named, Tags: required(list(tag, { min: 1, max: 50 })) }),
  UntagDeliveryStream: structure({
    ...named,
    TagKeys: required(list(text({ min: 1, max: 128 }), { min: 1, max: 50 })),
  }),
} as const satisfies Readonly<Record<string, Shape>>;

export type FirehoseOperation = keyof typeof inputs;
export const firehoseOperations = Object.keys(inputs) as FirehoseOperation[];

/** @throws AwsError ValidationException, SerializationException */
export function check(operation: FirehoseOperation, input: Input): void {
  checkInput(inputs[operation], input);
}
