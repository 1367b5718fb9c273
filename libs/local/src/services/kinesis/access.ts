import type { AccessOf } from '../../core/access.ts';
import { streamOfIterator } from './shard-iterator.ts';
import { streamOfToken } from './shard-list.ts';

const onNothing = new Set(['ListStreams', 'DescribeLimits']);
const onResource = new Set(['TagResource', 'UntagResource', 'ListTagsForResource']);
const onConsumer = new Set(['DescribeStreamConsumer', 'DeregisterStreamConsumer', 'SubscribeToShard']);
const onStream = new Set([
  ...['AddTagsToStream', 'CreateStream', 'DecreaseStreamRetentionPeriod', 'DeleteStream', 'DescribeStream'],
  ...['DescribeStreamSummary', 'DisableEnhancedMonitoring', 'EnableEnhancedMonitoring', 'GetRecords'],
  ...['GetShardIterator', 'IncreaseStreamRetentionPeriod', 'ListShards', 'ListStreamConsumers', 'ListTagsForStream'],
  ...['MergeShards', 'PutRecord', 'PutRecords', 'RegisterStreamConsumer', 'RemoveTagsFromStream', 'SplitShard'],
  ...['StartStreamEncryption', 'StopStreamEncryption', 'UpdateMaxRecordSize', 'UpdateShardCount', 'UpdateStreamMode'],
]);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisdatastreams.html */
export const kinesisAccess: AccessOf = (operation, input, arn) => {
  const { StreamARN, StreamName, ResourceARN, ConsumerARN, ConsumerName, ShardIterator, NextToken, Tags } = input;
  const action = `kinesis:${operation}`;
  if (onNothing.has(operation)) return [{ action, resource: '*' }];
  if (onResource.has(operation)) return [{ action, resource: String(ResourceARN ?? '') }];
  const name = StreamName ?? streamOfIterator(ShardIterator) ?? streamOfToken(NextToken) ?? '';
  const stream = String(StreamARN ?? arn('kinesis', `stream/${String(name)}`));
  if (onConsumer.has(operation)) {
    return [{ action, resource: String(ConsumerARN ?? `${stream}/consumer/${String(ConsumerName ?? '')}`) }];
  }
  if (!onStream.has(operation)) return undefined;
  const tagging = operation === 'CreateStream' && Tags !== undefined;
  return [{ action, resource: stream }, ...(tagging ? [{ action: 'kinesis:AddTagsToStream', resource: stream }] : [])];
};
