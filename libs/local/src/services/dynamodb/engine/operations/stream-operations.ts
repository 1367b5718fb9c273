import { resourceNotFound } from '../dynamodb-error.ts';
import { checkMembers } from '../member-constraints.ts';
import { readIterator } from '../shard-iterator.ts';
import type { TableStream } from '../table-stream.ts';
import type { EngineState } from './request.ts';
import { recordsMembers, shardIteratorMembers, streamMembers } from './request-members.ts';

const MAX_LISTED = 100;

/** ListStreams. */
export function listStreams(
  { streams }: EngineState,
  input: { TableName?: string; Limit?: number; ExclusiveStartStreamArn?: string },
): object {
  checkMembers(input, {
    TableName: { type: 'string', length: [1, 1024] },
    Limit: { type: 'number', range: [1, MAX_LISTED] },
    ExclusiveStartStreamArn: { type: 'string', length: [37, 1024] },
  });
  const { TableName, Limit = MAX_LISTED, ExclusiveStartStreamArn: start } = input;
  const name = TableName?.startsWith('arn:') ? TableName.slice(TableName.indexOf('/') + 1) : TableName;
  const found = streams
    .all()
    .filter(({ state }) => name === undefined || state.tableName === name)
    .map(({ arn, label, state }) => ({ StreamArn: arn, StreamLabel: label, TableName: state.tableName }))
    .toSorted((a, b) => (a.StreamArn < b.StreamArn ? -1 : 1))
    .filter(({ StreamArn }) => start === undefined || StreamArn > start);
  const Streams = found.slice(0, Limit);
  return { Streams, ...(Streams.length < found.length && { LastEvaluatedStreamArn: Streams.at(-1)?.StreamArn }) };
}

/** DescribeStream. */
export function describeStream(
  state: EngineState,
  input: { StreamArn?: string; Limit?: number; ExclusiveStartShardId?: string },
): object {
  checkMembers(input, streamMembers);
  return { StreamDescription: streamOf(state, input.StreamArn).describe(input) };
}

/** GetShardIterator. */
export function getShardIterator(state: EngineState, input: Record<string, unknown>): object {
  checkMembers(input, shardIteratorMembers);
  return { ShardIterator: streamOf(state, input.StreamArn).iterator(input) };
}

/** GetRecords. */
export function getRecords(state: EngineState, input: { ShardIterator?: string; Limit?: number }): object {
  checkMembers(input, recordsMembers);
  const { streamArn, ...position } = readIterator(input.ShardIterator, state.environment.now());
  return streamOf(state, streamArn).records(position, input.Limit);
}

function streamOf({ streams }: EngineState, arn: unknown): TableStream {
  const stream = streams.find(arn);
  if (stream) return stream;
  throw resourceNotFound(`Stream: ${arn} not found`);
}
