import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { pageOf } from '../../core/page.ts';
import { checkInput, type Shape } from '../../core/shapes.ts';
import type { LogGroup, LogStore, LogStream } from './log-store.ts';
import * as shapes from './shapes.ts';

export interface LogGroupsOptions {
  region: string;
  accountId: string;
  clock: Clock;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTIONS = new Set([
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
  ...[1096, 1827, 2192, 2557, 2922, 3288, 3653],
]);
const DEFAULT_PAGE = 50;

/** The operations on log groups and streams. */
export class LogGroups {
  readonly #store: LogStore;
  readonly #options: LogGroupsOptions;

  constructor(store: LogStore, options: LogGroupsOptions) {
    this.#store = store;
    this.#options = options;
  }

  create(input: Input): object {
    check(shapes.createGroup, input);
    const name = String(input.logGroupName);
    if (this.#store.group(name)) {
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    const tags = (input.tags ?? {}) as Record<string, string>;
    this.#store.saveGroup({ name, createdAt: this.#options.clock.now(), tags, isDeclared: false });
    return {};
  }

  /** Brings a group to what a template declares. */
  declare(name: string, { RetentionInDays, Tags = [] }: Input): void {
    const { clock } = this.#options;
    const tags = Object.fromEntries((Tags as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]));
    this.#store.saveGroup({
      name,
      createdAt: clock.now(),
      tags,
      isDeclared: true,
      ...(RetentionInDays !== undefined && { retentionInDays: readRetention(Number(RetentionInDays)) }),
    });
  }

  delete(input: Input): object {
    check(shapes.oneGroup, input);
    this.#store.deleteGroup(this.require(input).name);
    return {};
  }

  describe(input: Input): object {
    check(shapes.describeGroups, input);
    const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern, limit = DEFAULT_PAGE, nextToken } = input;
    if (input.logGroupNamePrefix !== undefined && pattern !== undefined) {
      throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
    }
    const part = String(pattern ?? '').toLowerCase();
    const found = this.#store
      .groups()
      .filter(({ name }) => name.startsWith(String(prefix)) && name.toLowerCase().includes(part));
    const { page, NextToken } = pageOf(found, ({ name }) => name, { MaxResults: limit, NextToken: nextToken });
    return {
      logGroups: page.map((group) => this.#described(group)),
      ...(NextToken !== undefined && { nextToken: NextToken }),
    };
  }

  putRetention(input: Input): object {
    check(shapes.putRetention, input);
    const group = this.require(input);
    this.#store.saveGroup({ ...group, retentionInDays: readRetention(Number(input.retentionInDays)) });
    return {};
  }

  deleteRetention(input: Input): object {
    check(shapes.oneGroup, input);
    const { retentionInDays: _, ...group } = this.require(input);
    this.#store.saveGroup(group);
    return {};
  }

  createStream(input: Input): object {
    check(shapes.oneStream, input);
    const group = this.require(input);
    const name = String(input.logStreamName);
    if (this.#store.stream(group.name, name)) {
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
    }
    this.#store.createStream(group.name, name, this.#options.clock.now());
    return {};
  }

  deleteStream(input: Input): object {
    check(shapes.oneStream, input);
    const group = this.require(input);
    this.#store.deleteStream(group.name, this.requireStream(group, String(input.logStreamName)).name);
    return {};
  }

  describeStreams(input: Input): object {
    check(shapes.describeStreams, input);
    const { logStreamNamePrefix: prefix = '', orderBy, descending = false, limit = DEFAULT_PAGE, nextToken } = input;
    if (orderBy === 'LastEventTime' && input.logStreamNamePrefix !== undefined) {
      throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.');
    }
    const group = this.require(input);
    // A key that grows with the order, whichever it is.
    const sign = descending === true ? -1 : 1;
    const sorted = this.#store
      .streams(group.name)
      .filter(({ name }) => name.startsWith(String(prefix)))
      .sort(
        (one, other) => sign * (orderBy === 'LastEventTime' ? compareByTime(one, other) : compareNames(one, other)),
      );
    const positions = new Map(sorted.map((stream, index) => [stream, String(index).padStart(9, '0')]));
    const page = pageOf(sorted, (stream) => positions.get(stream) ?? '', { MaxResults: limit, NextToken: nextToken });
    return {
      logStreams: page.page.map((stream) => this.#describedStream(group, stream)),
      ...(page.NextToken !== undefined && { nextToken: page.NextToken }),
    };
  }

  listTags(input: Input): object {
    check(shapes.resource, input);
    return { tags: this.require({ logGroupIdentifier: input.resourceArn }).tags };
  }

  tag(input: Input): object {
    check(shapes.tagResource, input);
    const group = this.require({ logGroupIdentifier: input.resourceArn });
    this.#store.saveGroup({ ...group, tags: { ...group.tags, ...(input.tags as Record<string, string>) } });
    return {};
  }

  untag(input: Input): object {
    check(shapes.untagResource, input);
    const group = this.require({ logGroupIdentifier: input.resourceArn });
    const removed = new Set(input.tagKeys as string[]);
    const tags = Object.fromEntries(Object.entries(group.tags).filter(([key]) => !removed.has(key)));
    this.#store.saveGroup({ ...group, tags });
    return {};
  }

  /**
   * The group that an input names, or gives the ARN of.
   * @throws AwsError ResourceNotFoundException; InvalidParameterException for both or neither
   */
  require({ logGroupName, logGroupIdentifier }: Input): LogGroup {
    if ((logGroupName === undefined) === (logGroupIdentifier === undefined)) {
      throw invalid('Exactly one of logGroupName and logGroupIdentifier must be provided.');
    }
    const name = String(logGroupName ?? logGroupIdentifier).replace(/^arn:[^:]*:logs:[^:]*:\d*:log-group:|:\*$/g, '');
    const group = this.#store.group(name);
    if (!group) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    return group;
  }

  /** @throws AwsError ResourceNotFoundException */
  requireStream({ name: groupName }: LogGroup, name: string): LogStream {
    const stream = this.#store.stream(groupName, name);
    if (!stream) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    return stream;
  }

  #arnOf(groupName: string): string {
    const { region, accountId } = this.#options;
    return `arn:aws:logs:${region}:${accountId}:log-group:${groupName}`;
  }

  #described({ name, createdAt, retentionInDays }: LogGroup): object {
    return {
      logGroupName: name,
      creationTime: createdAt,
      ...(retentionInDays !== undefined && { retentionInDays }),
      metricFilterCount: 0,
      arn: `${this.#arnOf(name)}:*`,
      logGroupArn: this.#arnOf(name),
      storedBytes: this.#store.storedBytes(name),
      logGroupClass: 'STANDARD',
    };
  }

  #describedStream(
    group: LogGroup,
    { name, createdAt, firstEventAt, lastEventAt, lastIngestionAt }: LogStream,
  ): object {
    return {
      logStreamName: name,
      creationTime: createdAt,
      ...(lastEventAt !== undefined && {
        firstEventTimestamp: firstEventAt,
        lastEventTimestamp: lastEventAt,
        lastIngestionTime: lastIngestionAt,
      }),
      arn: `${this.#arnOf(group.name)}:log-stream:${name}`,
      // CloudWatch Logs has reported 0 here since 2019.
      storedBytes: 0,
    };
  }
}

/** Checks an input in the way of CloudWatch Logs. */
export function check(shape: Shape, input: Input): void {
  checkInput(shape, input, 'InvalidParameterException');
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

function readRetention(days: number): number {
  if (RETENTIONS.has(days)) return days;
  throw invalid(
    `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${[...RETENTIONS].join(', ')}]`,
  );
}

function compareNames(one: LogStream, other: LogStream): number {
  return one.name < other.name ? -1 : 1;
}

function compareByTime(one: LogStream, other: LogStream): number {
  return (one.lastEventAt ?? 0) - (other.lastEventAt ?? 0) || compareNames(one, other);
}
