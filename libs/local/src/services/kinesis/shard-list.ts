import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { millisecondsOf } from '../../core/shapes.ts';
import { invalidArgument } from './errors.ts';
import { sequenceNumber } from './sequence-number.ts';
import { type Shard, type Stream, shardId } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html */
const DEFAULT_RESULTS = 1000;
const TOKEN_MS = 300_000;

/** A shard as DescribeStream and ListShards show it. */
export function describeShard({ index, parents, start, end, second, closedAt, endPosition, ...rest }: Shard): object {
  const [parent, adjacent] = parents;
  const shard = { index, second, ...rest };
  return {
    ShardId: shardId(index),
    ...(parent !== undefined && { ParentShardId: shardId(parent) }),
    ...(adjacent !== undefined && { AdjacentParentShardId: shardId(adjacent) }),
    HashKeyRange: { StartingHashKey: start, EndingHashKey: end },
    SequenceNumberRange: {
      StartingSequenceNumber: sequenceNumber(shard, 0),
      ...(endPosition !== undefined && { EndingSequenceNumber: sequenceNumber(shard, endPosition, closedAt) }),
    },
  };
}

/** What a token of ListShards continues. */
interface Continuation {
  streamName: string;
  after: string;
  filter: Input | undefined;
  madeAt: number;
}

/**
 * ListShards.
 * @throws AwsError InvalidArgumentException, ExpiredNextTokenException, ResourceNotFoundException
 */
export function listShards(directory: StreamDirectory, input: Input): object {
  const { NextToken, MaxResults, ShardFilter } = input;
  if (NextToken !== undefined) {
    for (const name of ['StreamName', 'StreamCreationTimestamp', 'ExclusiveStartShardId']) {
      if (input[name] !== undefined) throw invalidArgument(`NextToken and ${name} cannot be provided together.`);
    }
  }
  const continued = NextToken === undefined ? undefined : readToken(String(NextToken), directory.now);
  const stream = continued ? directory.named(continued.streamName) : directory.of(input);
  const filter = (continued?.filter ?? ShardFilter) as Input | undefined;
  const after = continued?.after ?? input.ExclusiveStartShardId;
  const shards = filtered(directory, stream, filter).filter(
    ({ index }) => after === undefined || shardId(index) > String(after),
  );
  const page = shards.slice(0, Math.min(Number(MaxResults ?? DEFAULT_RESULTS), DEFAULT_RESULTS));
  const last = page.at(-1);
  const next: Continuation | undefined =
    last && page.length < shards.length
      ? { streamName: stream.name, after: shardId(last.index), filter, madeAt: directory.now }
      : undefined;
  return {
    Shards: page.map(describeShard),
    ...(next && { NextToken: Buffer.from(JSON.stringify(next)).toString('base64') }),
  };
}

/** The stream that a token of ListShards continues; undefined for anything else. */
export function streamOfToken(token: unknown): string | undefined {
  return parse(String(token))?.streamName;
}

function readToken(token: string, now: number): Continuation {
  const continuation = parse(token);
  if (!continuation) throw invalidArgument('Invalid NextToken.');
  if (now - continuation.madeAt > TOKEN_MS) {
    throw new AwsError('ExpiredNextTokenException', 'The pagination token has expired: it is valid for 300 seconds.');
  }
  return continuation;
}

function parse(token: string): Continuation | undefined {
  try {
    const value = JSON.parse(Buffer.from(token, 'base64').toString()) as Continuation | null;
    return typeof value?.streamName === 'string' && typeof value.madeAt === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html */
function filtered(directory: StreamDirectory, stream: Stream, filter: Input | undefined): Shard[] {
  const shards = directory.keptShards(stream);
  const { Type = 'FROM_TRIM_HORIZON', ShardId, Timestamp } = filter ?? {};
  const time = millisecondsOf(Timestamp);
  if (Type === 'AFTER_SHARD_ID') {
    if (ShardId === undefined) throw invalidArgument('ShardId must be specified for the filter AFTER_SHARD_ID.');
    return shards.filter(({ index }) => shardId(index) > String(ShardId));
  }
  const isTimed = Type === 'AT_TIMESTAMP' || Type === 'FROM_TIMESTAMP';
  if (isTimed && time === undefined) throw invalidArgument(`Timestamp must be specified for the filter ${Type}.`);
  const horizon = Math.max(directory.horizon(stream), stream.createdAt);
  const at = isTimed ? Math.max(Number(time), horizon) : horizon;
  switch (Type) {
    case 'AT_LATEST':
      return shards.filter(({ closedAt }) => closedAt === undefined);
    case 'AT_TRIM_HORIZON':
    case 'AT_TIMESTAMP':
      return shards.filter(({ openedAt, closedAt }) => openedAt <= at && (closedAt === undefined || closedAt >= at));
    default:
      return shards.filter(({ closedAt }) => closedAt === undefined || closedAt >= at);
  }
}
