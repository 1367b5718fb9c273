import { createHash } from 'node:crypto';
import type { Container } from '../container.ts';
import { queueArn, queueUrl } from '../deployment.ts';
import type { World } from '../world.ts';
import { AwsFailure } from './network.ts';

export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
}

/** A message of a queue. */
export interface Message {
  id: string;
  body: string;
  attributes: Record<string, MessageAttribute>;
  sentAt: number;
  firstReceivedAt?: number;
  receives: number;
  visibleAt: number;
  /** Of the last receive. */
  handle?: string;
  /** Receives that ended in silence: SQS counts them, and nobody can say what became of them. */
  unfinished: number;
}

interface Queue {
  name: string;
  messages: Message[];
  /** In ms. */
  visibilityTimeout: number;
  deadLetterQueue?: string;
  maxReceiveCount?: number;
  /** Called when a message may have become visible. */
  onMessage?: () => void;
}

/** Longest wait of ReceiveMessage in seconds. */
const VISIBILITY_SECONDS = 30;

/** SQS. */
export class Queues {
  readonly #world: World;
  readonly #queues = new Map<string, Queue>();
  /** Every message that has ever come to a dead-letter queue, and how. */
  readonly deadLetters: { queue: string; message: Message; by: 'consumer' | 'sqs' }[] = [];

  constructor(world: World) {
    this.#world = world;
    for (const { consumer } of world.deployment.functions) {
      if (!consumer) continue;
      const { queue, deadLetterQueue, maxReceiveCount, visibilityTimeout } = consumer;
      this.#add({ name: deadLetterQueue, messages: [], visibilityTimeout: VISIBILITY_SECONDS * 1000 });
      this.#add({
        name: queue,
        messages: [],
        visibilityTimeout: visibilityTimeout * 1000,
        deadLetterQueue,
        maxReceiveCount,
      });
    }
  }

  #add(queue: Queue): void {
    this.#queues.set(queue.name, queue);
  }

  /** Dead-letter queues out of which a message was deleted that had not been put back. */
  readonly lostLetters: string[] = [];
  /** What was sent by the API, by queue and body: what rules deliver is not among it. */
  readonly #sentBodies = new Set<string>();

  get names(): string[] {
    return [...this.#queues.keys()];
  }

  messagesOf(name: string): readonly Message[] {
    return this.#queue(name).messages;
  }

  /** The dead-letter queues with a letter that satisfies a condition. */
  deadLetterQueuesWith(condition: (message: Message) => boolean): string[] {
    return this.names.filter((name) => name.endsWith('-dlq') && this.#queue(name).messages.some(condition));
  }

  /** Calls when there may be something to receive. */
  onMessage(name: string, listener: () => void): void {
    this.#queue(name).onMessage = listener;
  }

  /** @param delay in seconds */
  send(
    name: string,
    {
      body,
      attributes = {},
      delay = 0,
    }: { body: string; attributes?: Record<string, MessageAttribute>; delay?: number },
  ): Message {
    const { scheduler, random } = this.#world;
    const { now } = scheduler;
    const message = { id: random.uuid(), body, attributes, sentAt: now, receives: 0, visibleAt: now, unfinished: 0 };
    if (delay > 0) this.#hide(this.#queue(name), message, delay * 1000);
    this.#put(name, message, 'consumer');
    return message;
  }

  /** Receives visible messages in any order, as SQS does. */
  receive(name: string, maximum: number): Message[] {
    const { scheduler, random } = this.#world;
    const queue = this.#queue(name);
    const visible = queue.messages.filter(({ visibleAt }) => visibleAt <= scheduler.now);
    const received: Message[] = [];
    while (received.length < maximum && visible.length > 0) {
      const [message] = visible.splice(random.between(0, Math.min(visible.length, 4) - 1), 1);
      if (!message) break;
      if (queue.maxReceiveCount !== undefined && message.receives >= queue.maxReceiveCount) {
        this.#remove(queue, message);
        this.#put(queue.deadLetterQueue ?? '', { ...message, visibleAt: scheduler.now }, 'sqs');
        continue;
      }
      message.receives += 1;
      message.firstReceivedAt ??= scheduler.now;
      message.handle = `${message.id} ${random.uuid()}`;
      this.#hide(queue, message, queue.visibilityTimeout);
      received.push(message);
    }
    return received;
  }

  delete(name: string, handle: string): void {
    const queue = this.#queue(name);
    const message = queue.messages.find(({ id }) => handle.startsWith(id));
    // A standard queue deletes by any handle of the message.
    if (!message) return;
    this.#remove(queue, message);
    const source = /^(.+)-dlq$/.exec(name)?.[1] ?? '';
    if (this.#queues.has(source) && !this.#sentBodies.has(`${source} ${message.body}`)) this.lostLetters.push(name);
  }

  /** Makes a message visible at once, although it was received. */
  show(name: string, message: Message): void {
    this.#hide(this.#queue(name), message, 0);
  }

  /** An operation of the API. @param refused which entry of a batch is refused */
  execute(
    operation: string,
    input: Record<string, unknown>,
    { refused, container }: { refused: number | undefined; container: Container },
  ): object {
    const url = String(input.QueueUrl ?? '');
    const name = url.slice(url.lastIndexOf('/') + 1);
    switch (operation) {
      case 'ListQueues':
        return { QueueUrls: this.names.map(queueUrl) };
      case 'GetQueueAttributes':
        return { Attributes: this.#attributes(this.#queue(name)) };
      case 'SendMessage':
        return this.#sent(name, input as never);
      case 'SendMessageBatch':
        return this.#batch(input, refused, (entry) => this.#sent(name, entry as never));
      case 'ReceiveMessage':
        return this.#receiveMessage(name, Number(input.MaxNumberOfMessages ?? 1), container);
      case 'DeleteMessage':
        this.delete(name, String(input.ReceiptHandle));
        return {};
      case 'DeleteMessageBatch':
        return this.#batch(input, refused, ({ ReceiptHandle }) => {
          this.delete(name, String(ReceiptHandle));
          return undefined;
        });
      case 'ChangeMessageVisibility':
        this.#changeVisibility(name, input);
        return {};
      case 'ChangeMessageVisibilityBatch':
        return this.#batch(input, refused, (entry) => {
          this.#changeVisibility(name, entry);
          return undefined;
        });
      default:
        throw new AwsFailure('InvalidAction', `The simulation has no ${operation}`);
    }
  }

  #receiveMessage(name: string, maximum: number, container: Container): object {
    const messages = this.receive(name, maximum);
    if (this.#world.sabotage.deletesOnReceive?.(container)) {
      for (const { id } of messages) this.delete(name, id);
    }
    return { Messages: messages.map(received) };
  }

  #batch(
    { Entries }: Record<string, unknown>,
    refused: number | undefined,
    run: (entry: Record<string, unknown>) => object | undefined,
  ): object {
    const Successful: object[] = [];
    const Failed: object[] = [];
    (Entries as Record<string, unknown>[]).forEach((entry, index, { length }) => {
      if (refused !== undefined && index === refused % length) {
        this.#world.trace.fault('sqs', `refuses entry ${index + 1} of ${length}`);
        Failed.push({ Id: entry.Id, Code: 'InternalError', SenderFault: false });
      } else Successful.push({ Id: entry.Id, ...run(entry) });
    });
    return { Successful, Failed };
  }

  #sent(
    name: string,
    {
      MessageBody,
      MessageAttributes,
      DelaySeconds,
    }: { MessageBody: string; MessageAttributes?: Record<string, MessageAttribute>; DelaySeconds?: number },
  ): object {
    this.#sentBodies.add(`${name} ${MessageBody}`);
    const { id } = this.send(name, {
      body: MessageBody,
      attributes: MessageAttributes ?? {},
      delay: DelaySeconds ?? 0,
    });
    return { MessageId: id, MD5OfMessageBody: md5(MessageBody) };
  }

  #changeVisibility(name: string, { ReceiptHandle, VisibilityTimeout }: Record<string, unknown>): void {
    const queue = this.#queue(name);
    const message = queue.messages.find(({ handle }) => handle === ReceiptHandle);
    if (message) this.#hide(queue, message, Number(VisibilityTimeout) * 1000);
  }

  #attributes({ name, messages, deadLetterQueue, maxReceiveCount }: Queue): Record<string, string> {
    const visible = messages.filter(({ visibleAt }) => visibleAt <= this.#world.scheduler.now).length;
    return {
      QueueArn: queueArn(name),
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(messages.length - visible),
      ApproximateNumberOfMessagesDelayed: '0',
      ...(deadLetterQueue && {
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn(deadLetterQueue), maxReceiveCount }),
      }),
    };
  }

  #put(name: string, message: Message, by: 'consumer' | 'sqs'): void {
    const queue = this.#queue(name);
    queue.messages.push(message);
    if (name.endsWith('-dlq')) {
      this.deadLetters.push({ queue: name, message, by });
      this.#world.trace.add(
        'sqs',
        `dead letter in ${name}: ${message.attributes.ErrorCode?.StringValue ?? 'moved by SQS'}`,
      );
    }
    queue.onMessage?.();
  }

  #remove(queue: Queue, message: Message): void {
    const index = queue.messages.indexOf(message);
    if (index >= 0) queue.messages.splice(index, 1);
  }

  #hide(queue: Queue, message: Message, ms: number): void {
    const { scheduler } = this.#world;
    const visibleAt = scheduler.now + ms;
    message.visibleAt = visibleAt;
    if (queue.onMessage) {
      // Only work as long as the message is there, and hidden until then.
      scheduler.after(ms, () => {
        if (message.visibleAt === visibleAt && queue.messages.includes(message)) queue.onMessage?.();
      });
    }
  }

  #queue(name: string): Queue {
    const queue = this.#queues.get(name);
    if (!queue) throw new AwsFailure('QueueDoesNotExist', `There is no queue ${name}`);
    return queue;
  }
}

function received({ id, handle, body, attributes, receives, sentAt, firstReceivedAt }: Message): object {
  return {
    MessageId: id,
    ReceiptHandle: handle,
    Body: body,
    MD5OfBody: md5(body),
    MessageAttributes: attributes,
    Attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
      SenderId: 'AIDASIMULATION',
    },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
