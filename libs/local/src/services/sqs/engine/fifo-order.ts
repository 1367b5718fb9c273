import type { DeliveryOrder } from './delivery-order.ts';
import { IndexedHeap } from './indexed-heap.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';

/** The messages of one message group in their order. */
class Group {
  readonly messages = new LinkedList<Message>();
  readonly id: string;
  readyIndex = -1;
  /** How many of its messages are in flight. */
  hidden = 0;

  constructor(id: string) {
    this.id = id;
  }
}

/**
 * The order of a FIFO queue. A message can be received when no message before it in its group is in flight or delayed, so
 * that one that comes back comes before those behind it. A receiver gets as many messages of a group as there are before it
 * gets any of the next. Groups take turns: the one whose first message has been visible longest is next.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export class FifoOrder implements DeliveryOrder {
  readonly #groups = new Map<string, Group>();
  /** Groups whose first message is visible. */
  readonly #ready = new IndexedHeap<'readyIndex', Group>('readyIndex', isBefore);
  #groupsInFlight = 0;

  /** How many groups have messages in flight. */
  get groupsInFlight(): number {
    return this.#groupsInFlight;
  }

  update(message: Message): void {
    const id = message.groupId ?? '';
    let group = this.#groups.get(id);
    if (!group) {
      group = new Group(id);
      this.#groups.set(id, group);
    }
    if (!message.listed) {
      group.messages.append(message);
      message.listed = true;
    }
    if (message === group.messages.first) this.#refresh(group);
  }

  remove(message: Message): void {
    const group = this.#groups.get(message.groupId ?? '');
    if (!group || !message.listed) return;
    const wasFirst = message === group.messages.first;
    group.messages.remove(message);
    message.listed = false;
    if (wasFirst) this.#refresh(group);
  }

  /** Counts a message of a group that goes in flight (1) or is no longer (-1). */
  countInFlight(message: Message, change: 1 | -1): void {
    const group = this.#groups.get(message.groupId ?? '');
    if (!group) return;
    const before = group.hidden > 0;
    group.hidden += change;
    this.#groupsInFlight += Number(group.hidden > 0) - Number(before);
  }

  offer(max: number, take: (message: Message) => boolean): void {
    const served: Group[] = [];
    for (let taken = 0; taken < max; ) {
      const group = this.#ready.first;
      if (!group) break;
      // Out of the heap until the end, so that each group, and each message, is offered once.
      this.#ready.delete(group);
      served.push(group);
      for (let message = group.messages.first; message?.state === 'visible' && taken < max; ) {
        const { next }: Message = message;
        if (take(message)) taken += 1;
        message = next;
      }
      this.#ready.delete(group);
    }
    for (const group of served) this.#refresh(group);
  }

  clear(): void {
    this.#groups.clear();
    this.#ready.clear();
    this.#groupsInFlight = 0;
  }

  #refresh(group: Group): void {
    const { first } = group.messages;
    if (first?.state === 'visible') this.#ready.set(group);
    else this.#ready.delete(group);
    if (!first) this.#groups.delete(group.id);
  }
}

function isBefore({ messages: { first: one } }: Group, { messages: { first: other } }: Group): boolean {
  if (!one || !other) return other === undefined;
  return one.visibleAt < other.visibleAt || (one.visibleAt === other.visibleAt && one.uid < other.uid);
}
