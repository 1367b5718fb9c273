import {
  absent,
  between,
  computed,
  each,
  imported,
  judgedBy,
  object,
  oneOf,
  ownName,
  reference,
  type Shape,
  type ShapeContext,
  type TypeShape,
  text,
  when,
} from '../shape.ts';
import { at } from '../template.ts';

const serviceStage: Shape = computed(({ service }) => `millrace-${service.name}-${service.stage}`);
const parameter = (ParameterName: string, ParameterValue: string) => ({ ParameterName, ParameterValue });

/** A line each, by what a query finds in it. */
const processing = (query: string) => ({
  Enabled: true,
  Processors: [
    {
      Type: 'MetadataExtraction',
      Parameters: [parameter('MetadataExtractionQuery', query), parameter('JsonParsingEngine', 'JQ-1.6')],
    },
    { Type: 'AppendDelimiterToRecord', Parameters: [parameter('Delimiter', '\\n')] },
  ],
});

const column = (...names: string[]) => object({ Name: oneOf(...names), Type: oneOf('string'), Comment: text });

/** By the event's own day and type, or by the day of a view. */
const readsViews = ({ properties }: ShapeContext): boolean => properties.DeliveryStreamType === 'KinesisStreamAsSource';
const ofViews = ({ properties }: ShapeContext): boolean => at(properties.TableInput, 'Name') === 'views';
const serde = (mapping: Record<string, string>) =>
  oneOf({
    SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
    Parameters: { 'case.insensitive': 'FALSE', 'ignore.malformed.json': 'FALSE', ...mapping },
  });

/** The way of analytics events into the lake, and what Athena needs to ask it. */
export const lake: Readonly<Record<string, TypeShape>> = {
  'AWS::KinesisFirehose::DeliveryStream': {
    properties: {
      DeliveryStreamName: ownName,
      DeliveryStreamType: oneOf('DirectPut', 'KinesisStreamAsSource'),
      KinesisStreamSourceConfiguration: when(
        readsViews,
        object({ KinesisStreamARN: imported('ViewStreamArn'), RoleARN: reference('AWS::IAM::Role', 'Arn') }),
        absent,
      ),
      DeliveryStreamEncryptionConfigurationInput: judgedBy('encryption-at-rest'),
      ExtendedS3DestinationConfiguration: object({
        BucketARN: reference('AWS::S3::Bucket', 'Arn'),
        RoleARN: reference('AWS::IAM::Role', 'Arn'),
        BufferingHints: computed(({ workspace }) => ({
          SizeInMBs: 64,
          IntervalInSeconds: workspace.parameters.lakeBufferSeconds,
        })),
        CompressionFormat: oneOf('UNCOMPRESSED'),
        Prefix: when(
          readsViews,
          oneOf('views/view_date=!{partitionKeyFromQuery:view_date}/'),
          oneOf(
            'events/event_date=!{partitionKeyFromQuery:event_date}/event_type=!{partitionKeyFromQuery:event_type}/',
          ),
        ),
        ErrorOutputPrefix: when(
          readsViews,
          oneOf('errors/views/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/'),
          oneOf('errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/'),
        ),
        DynamicPartitioningConfiguration: oneOf({ Enabled: true, RetryOptions: { DurationInSeconds: 300 } }),
        ProcessingConfiguration: when(
          readsViews,
          oneOf(processing('{view_date: .viewedAt[0:10]}')),
          oneOf(processing('{event_date: .detail.metadata.timestamp[0:10], event_type: ."detail-type"}')),
        ),
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
        Name: oneOf('events', 'views'),
        Description: text,
        TableType: oneOf('EXTERNAL_TABLE'),
        Parameters: judgedBy('lake'),
        PartitionKeys: judgedBy('lake'),
        StorageDescriptor: object({
          Location: judgedBy('lake'),
          InputFormat: oneOf('org.apache.hadoop.mapred.TextInputFormat'),
          OutputFormat: oneOf('org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'),
          Columns: when(
            ofViews,
            each(column('id', 'session_id', 'page', 'sku', 'viewed_at'), { least: 5, most: 5 }),
            each(column('source', 'time', 'detail'), { least: 3, most: 3 }),
          ),
          SerdeInfo: when(
            ofViews,
            serde({ 'mapping.session_id': 'sessionId', 'mapping.viewed_at': 'viewedAt' }),
            serde({}),
          ),
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
