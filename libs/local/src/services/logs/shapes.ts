import { flag, list, mapOf, oneOf, required, structure, text, whole } from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html

const groupName = text({ min: 1, max: 512, pattern: /^[.\-_/#A-Za-z0-9]+$/ });
/** A name, or an ARN. */
const groupIdentifier = text({ min: 1, max: 2048, pattern: /^[\w#+=/:,.@*-]*$/ });
const streamName = text({ min: 1, max: 512, pattern: /^[^:*]*$/ });
const timestamp = whole({ min: 0 });
const token = text({ min: 1 });
const tags = mapOf(text({ max: 256 }));
/** One of the two names a group. */
const anyGroup = { logGroupName: groupName, logGroupIdentifier: groupIdentifier };

export const createGroup = structure({
  logGroupName: required(groupName),
  kmsKeyId: text({ max: 256 }),
  tags,
  logGroupClass: oneOf('STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY'),
});
export const oneGroup = structure({ logGroupName: required(groupName) });
export const describeGroups = structure({
  logGroupNamePrefix: groupName,
  logGroupNamePattern: text({ max: 512 }),
  nextToken: token,
  limit: whole({ min: 1, max: 50 }),
});
export const putRetention = structure({ logGroupName: required(groupName), retentionInDays: required(whole()) });
export const oneStream = structure({ logGroupName: required(groupName), logStreamName: required(streamName) });
export const describeStreams = structure({
  ...anyGroup,
  logStreamNamePrefix: streamName,
  orderBy: oneOf('LogStreamName', 'LastEventTime'),
  descending: flag(),
  nextToken: token,
  limit: whole({ min: 1, max: 50 }),
});
export const putEvents = structure({
  logGroupName: required(groupName),
  logStreamName: required(streamName),
  logEvents: required(
    list(structure({ timestamp: required(timestamp), message: required(text({ min: 1 })) }), { min: 1, max: 10_000 }),
  ),
});
export const getEvents = structure({
  ...anyGroup,
  logStreamName: required(streamName),
  startTime: timestamp,
  endTime: timestamp,
  nextToken: token,
  limit: whole({ min: 1, max: 10_000 }),
  startFromHead: flag(),
});
export const filterEvents = structure({
  ...anyGroup,
  logStreamNames: list(streamName, { min: 1, max: 100 }),
  logStreamNamePrefix: streamName,
  startTime: timestamp,
  endTime: timestamp,
  filterPattern: text({ max: 1024 }),
  nextToken: token,
  limit: whole({ min: 1, max: 10_000 }),
});
export const resource = structure({ resourceArn: required(text({ min: 1, max: 1011 })) });
export const tagResource = structure({ resourceArn: required(text({ min: 1, max: 1011 })), tags: required(tags) });
export const untagResource = structure({
  resourceArn: required(text({ min: 1, max: 1011 })),
  tagKeys: required(list(text({ min: 1, max: 128 }))),
});
