import type { Input } from '../../core/access.ts';
import { invalidArgument, notFound } from './errors.ts';
import type { Stream } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_AddTagsToStream.html */
const MAX_TAGS = 50;
const KEY_LENGTH = 128;

type TagMap = Record<string, string>;

/** @throws AwsError InvalidArgumentException */
export function checkTags(name: string, kept: Readonly<TagMap>, added: Readonly<TagMap>): void {
  const keys = Object.keys({ ...kept, ...added });
  if (keys.length > MAX_TAGS) {
    throw invalidArgument(
      `Failed to add tags to stream ${name} because a given stream cannot have more than ${MAX_TAGS} tags associated with it.`,
    );
  }
  const wrong = Object.entries(added).find(
    ([key, value]) =>
      key.length === 0 ||
      key.length > KEY_LENGTH ||
      key.startsWith('aws:') ||
      !/^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u.test(key + value),
  );
  if (wrong) throw invalidArgument(`The tag ${wrong[0].slice(0, KEY_LENGTH)} of stream ${name} is not valid.`);
}

/** The tags of a resource of a template. */
export function tagsOfTemplate(tags: unknown): TagMap {
  const pairs = (Array.isArray(tags) ? tags : []) as { Key: unknown; Value: unknown }[];
  return Object.fromEntries(pairs.map(({ Key, Value }) => [String(Key), String(Value)]));
}

/** The tags of streams and consumers. */
export class Tags {
  readonly #directory: StreamDirectory;

  constructor(directory: StreamDirectory) {
    this.#directory = directory;
  }

  /** AddTagsToStream. @throws AwsError InvalidArgumentException, ResourceNotFoundException */
  add(input: Input): void {
    const stream = this.#directory.of(input);
    this.#change(stream, undefined, (tags) => ({ ...tags, ...(input.Tags as TagMap) }), input.Tags as TagMap);
  }

  /** RemoveTagsFromStream. @throws AwsError ResourceNotFoundException */
  remove(input: Input): void {
    this.#change(this.#directory.of(input), undefined, (tags) => without(tags, input.TagKeys as string[]));
  }

  /** ListTagsForStream. @throws AwsError ResourceNotFoundException */
  list(input: Input): object {
    const { ExclusiveStartTagKey: after, Limit = MAX_TAGS } = input;
    const tags = described(this.#directory.of(input).tags).filter(
      ({ Key }) => after === undefined || Key > String(after),
    );
    const page = tags.slice(0, Number(Limit));
    return { Tags: page, HasMoreTags: page.length < tags.length };
  }

  /** TagResource. @throws AwsError InvalidArgumentException, ResourceNotFoundException */
  tag({ ResourceARN, Tags: given }: Input): void {
    const [stream, consumer] = this.#resource(String(ResourceARN));
    this.#change(stream, consumer, (tags) => ({ ...tags, ...(given as TagMap) }), given as TagMap);
  }

  /** UntagResource. @throws AwsError ResourceNotFoundException */
  untag({ ResourceARN, TagKeys }: Input): void {
    const [stream, consumer] = this.#resource(String(ResourceARN));
    this.#change(stream, consumer, (tags) => without(tags, TagKeys as string[]));
  }

  /** ListTagsForResource. @throws AwsError ResourceNotFoundException */
  listOf({ ResourceARN }: Input): object {
    const [stream, consumer] = this.#resource(String(ResourceARN));
    const found = stream.consumers.find(({ name }) => name === consumer);
    return { Tags: described((found ?? stream).tags) };
  }

  #change(stream: Stream, consumer: string | undefined, change: (tags: TagMap) => TagMap, added: TagMap = {}): void {
    const found = stream.consumers.find(({ name }) => name === consumer);
    checkTags(stream.name, (found ?? stream).tags, added);
    this.#directory.save(
      found
        ? {
            ...stream,
            consumers: stream.consumers.map((other) =>
              other === found ? { ...found, tags: change(found.tags) } : other,
            ),
          }
        : { ...stream, tags: change(stream.tags) },
    );
  }

  #resource(arn: string): [stream: Stream, consumer: string | undefined] {
    const stream = this.#directory.named(this.#directory.nameIn(arn));
    if (!arn.includes('/consumer/')) return [stream, undefined];
    const consumer = stream.consumers.find((other) => this.#directory.consumerArnOf(stream, other) === arn);
    if (!consumer) throw notFound(`Consumer ${arn} not found.`);
    return [stream, consumer.name];
  }
}

function without(tags: TagMap, keys: readonly string[]): TagMap {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}

function described(tags: TagMap): { Key: string; Value: string }[] {
  return Object.entries(tags)
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((one, other) => (one.Key < other.Key ? -1 : 1));
}
