import type { Operations } from '../../core/service.ts';
import { type LogEvents, unavailable } from './log-events.ts';
import type { LogGroups } from './log-groups.ts';

/** The operations by name. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html */
export function logsApi(groups: LogGroups, events: LogEvents): Operations {
  return {
    CreateLogGroup: (input) => groups.create(input),
    DeleteLogGroup: (input) => groups.delete(input),
    DescribeLogGroups: (input) => groups.describe(input),
    PutRetentionPolicy: (input) => groups.putRetention(input),
    DeleteRetentionPolicy: (input) => groups.deleteRetention(input),
    ListTagsForResource: (input) => groups.listTags(input),
    TagResource: (input) => groups.tag(input),
    UntagResource: (input) => groups.untag(input),
    CreateLogStream: (input) => groups.createStream(input),
    DeleteLogStream: (input) => groups.deleteStream(input),
    DescribeLogStreams: (input) => groups.describeStreams(input),
    PutLogEvents: (input) => events.put(input),
    GetLogEvents: (input) => events.get(input),
    FilterLogEvents: (input) => events.filter(input),
    StartQuery: unavailable('StartQuery', 'FilterLogEvents'),
    StartLiveTail: unavailable('StartLiveTail', 'FilterLogEvents, e.g. aws logs tail --follow'),
  };
}
