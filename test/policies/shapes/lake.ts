import {
  between,
  computed,
  each,
  judgedBy,
  object,
  oneOf,
  ownName,
  reference,
  type Shape,
  type TypeShape,
  text,
} from '../shape.ts';

const serviceStage: Shape = computed(({ service }) => `millrace-${service.name}-${service.stage}`);
const parameter = (ParameterName: string, ParameterValue: string) => ({ ParameterName, ParameterValue });

/** By the event's own day and type, a line each. */
const processing = {
  Enabled: true,
  Processors: [
    {
      Type: 'MetadataExtraction',
      Parameters: [
        parameter(
          'MetadataExtractionQuery',
          '{event_date: .detail.metadata.timestamp[0:10], event_type: ."detail-type"}',
        ),
        parameter('JsonParsingEngine', 'JQ-1.6'),
      ],
    },
    { Type: 'AppendDelimiterToRecord', Parameters: [parameter('Delimiter', '\\n')] },
  ],
};

const column = object({ Name: text, Type: oneOf('string'), Comment: text });

/** The way of analytics events into the lake, and what Athena needs to ask it. */
export const lake: Readonly<Record<string, TypeShape>> = {
  'AWS::KinesisFirehose::DeliveryStream': {
    properties: {
      DeliveryStreamName: ownName,
      DeliveryStreamType: oneOf('DirectPut'),
      DeliveryStreamEncryptionConfigurationInput: judgedBy('encryption-at-rest'),
      ExtendedS3DestinationConfiguration: object({
        BucketARN: reference('AWS::S3::Bucket', 'Arn'),
        RoleARN: reference('AWS::IAM::Role', 'Arn'),
        BufferingHints: computed(({ workspace }) => ({
          SizeInMBs: 64,
          IntervalInSeconds: workspace.parameters.lakeBufferSeconds,
        })),
        CompressionFormat: oneOf('UNCOMPRESSED'),
        Prefix: oneOf(
          'events/event_date=!{partitionKeyFromQuery:event_date}/event_type=!{partitionKeyFromQuery:event_type}/',
        ),
        ErrorOutputPrefix: oneOf('errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/'),
        DynamicPartitioningConfiguration: oneOf({ Enabled: true, RetryOptions: { DurationInSeconds: 300 } }),
        ProcessingConfiguration: oneOf(processing),
        // Without them nobody could tell why nothing arrives.
        CloudWatchLoggingOptions: object({
          Enabled: oneOf(true),
          LogGroupName: reference('AWS::Logs::LogGroup'),
          LogStreamName: reference('AWS::Logs::LogStream'),
        }),
        S3BackupMode: oneOf('Disabled'), // a second copy of everything
      }),
    },
  },
  'AWS::Logs::LogStream': {
    properties: { LogGroupName: reference('AWS::Logs::LogGroup'), LogStreamName: oneOf('delivery') },
  },
  'AWS::Glue::Database': {
    properties: {
      CatalogId: oneOf({ Ref: 'AWS::AccountId' }),
      DatabaseInput: object({
        Name: computed(({ service }) => `millrace_${service.name.replaceAll('-', '_')}_${service.stage}`),
        Description: text,
      }),
    },
  },
  'AWS::Glue::Table': {
    properties: {
      CatalogId: oneOf({ Ref: 'AWS::AccountId' }),
      DatabaseName: reference('AWS::Glue::Database'),
      TableInput: object({
        Name: oneOf('events'),
        Description: text,
        TableType: oneOf('EXTERNAL_TABLE'),
        Parameters: judgedBy('lake'),
        PartitionKeys: judgedBy('lake'),
        StorageDescriptor: object({
          Location: judgedBy('lake'),
          InputFormat: oneOf('org.apache.hadoop.mapred.TextInputFormat'),
          OutputFormat: oneOf('org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'),
          Columns: each(column, { least: 3, most: 3 }),
          SerdeInfo: oneOf({
            SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
            Parameters: { 'case.insensitive': 'FALSE', 'ignore.malformed.json': 'FALSE' },
          }),
        }),
      }),
    },
  },
  'AWS::Athena::WorkGroup': {
    properties: {
      Name: serviceStage,
      Description: text,
      State: oneOf('ENABLED'),
      WorkGroupConfiguration: object({
        EnforceWorkGroupConfiguration: oneOf(true), // otherwise whoever asks says where results are kept
        PublishCloudWatchMetricsEnabled: oneOf(true),
        BytesScannedCutoffPerQuery: between(10_000_000, 100_000_000_000), // at most half a dollar a query
        EngineVersion: oneOf({ SelectedEngineVersion: 'Athena engine version 3' }),
        ResultConfiguration: object({ OutputLocation: judgedBy('lake') }),
      }),
    },
  },
  'AWS::Athena::NamedQuery': {
    properties: {
      Name: text,
      Description: text,
      Database: reference('AWS::Glue::Database'),
      WorkGroup: reference('AWS::Athena::WorkGroup'),
      QueryString: judgedBy('lake'),
    },
  },
};
