import type { Input } from '../../core/access.ts';
import { pageOf } from '../../core/page.ts';
import { inUse, invalidArgument, limitExceeded, notFound } from './errors.ts';
import type { Consumer, Stream } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';
import { checkTags } from './tags.ts';

/** Of one stream. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html */
const MAX_CONSUMERS = 20;

/** The consumers that are registered with streams. */
export class Consumers {
  readonly #directory: StreamDirectory;

  constructor(directory: StreamDirectory) {
    this.#directory = directory;
  }

  /** RegisterStreamConsumer. @throws AwsError ResourceInUseException, LimitExceededException, ResourceNotFoundException */
  register(input: Input): object {
    const stream = this.#directory.of(input);
    const name = String(input.ConsumerName);
    const { accountId, now } = this.#directory;
    if (stream.consumers.some((other) => other.name === name)) {
      throw inUse(`Consumer ${name} of stream ${stream.name} under account ${accountId} already exists.`);
    }
    if (stream.consumers.length >= MAX_CONSUMERS) {
      throw limitExceeded(`Stream ${stream.name} under account ${accountId} has ${MAX_CONSUMERS} consumers already.`);
    }
    const tags = (input.Tags ?? {}) as Record<string, string>;
    checkTags(stream.name, {}, tags);
    const consumer: Consumer = { name, createdAt: now, tags };
    this.#directory.save({ ...stream, consumers: [...stream.consumers, consumer] });
    return { Consumer: { ...this.#described(stream, consumer), ConsumerStatus: 'CREATING' } };
  }

  /** DescribeStreamConsumer. @throws AwsError InvalidArgumentException, ResourceNotFoundException */
  describe(input: Input): object {
    const [stream, consumer] = this.#find(input);
    const StreamARN = this.#directory.arnOf(stream.name);
    return { ConsumerDescription: { ...this.#described(stream, consumer), StreamARN } };
  }

  /** DeregisterStreamConsumer. @throws AwsError InvalidArgumentException, ResourceNotFoundException */
  deregister(input: Input): void {
    const [stream, consumer] = this.#find(input);
    this.#directory.save({ ...stream, consumers: stream.consumers.filter((other) => other !== consumer) });
  }

  /** ListStreamConsumers. @throws AwsError ResourceNotFoundException */
  list(input: Input): object {
    const stream = this.#directory.of(input);
    const sorted = [...stream.consumers].sort((one, other) => (one.name < other.name ? -1 : 1));
    const { page, NextToken } = pageOf(sorted, ({ name }) => name, input);
    return { Consumers: page.map((consumer) => this.#described(stream, consumer)), ...(NextToken && { NextToken }) };
  }

  #find({ StreamARN, ConsumerName, ConsumerARN }: Input): [Stream, Consumer] {
    if (ConsumerARN === undefined && (StreamARN === undefined || ConsumerName === undefined)) {
      throw invalidArgument('ConsumerARN, or StreamARN and ConsumerName, must be given.');
    }
    const stream = this.#directory.named(this.#directory.nameIn(String(ConsumerARN ?? StreamARN)));
    const consumer = stream.consumers.find((other) =>
      ConsumerARN === undefined
        ? other.name === ConsumerName
        : this.#directory.consumerArnOf(stream, other) === ConsumerARN,
    );
    if (!consumer) {
      throw notFound(
        `Consumer ${String(ConsumerARN ?? ConsumerName)} of stream ${stream.name} under account ` +
          `${this.#directory.accountId} not found.`,
      );
    }
    return [stream, consumer];
  }

  #described(stream: Stream, consumer: Consumer): object {
    return {
      ConsumerName: consumer.name,
      ConsumerARN: this.#directory.consumerArnOf(stream, consumer),
      ConsumerStatus: 'ACTIVE',
      ConsumerCreationTimestamp: consumer.createdAt / 1000,
    };
  }
}
