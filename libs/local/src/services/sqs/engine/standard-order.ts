import type { DeliveryOrder } from './delivery-order.ts';
import { LinkedList } from './linked-list.ts';
import type { Message } from './message.ts';
import type { Shuffle } from './shuffle.ts';

/**
 * The order of a standard queue: as they became visible, which AWS does its best to keep and does not promise.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
 */
export class StandardOrder implements DeliveryOrder {
  readonly #visible = new LinkedList<Message>();
  readonly #shuffle: Shuffle | undefined;

  constructor(shuffle?: Shuffle) {
    this.#shuffle = shuffle;
  }

  update(message: Message): void {
    const visible = message.state === 'visible';
    if (visible === message.listed) return;
    if (visible) this.#visible.append(message);
    else this.#visible.remove(message);
    message.listed = visible;
  }

  remove(message: Message): void {
    if (!message.listed) return;
    this.#visible.remove(message);
    message.listed = false;
  }

  offer(max: number, take: (message: Message) => boolean): void {
    const stillVisible: Message[] = [];
    for (let taken = 0; taken < max; ) {
      const { first } = this.#visible;
      if (!first) break;
      const message = this.#shuffle ? this.#shuffle.pick(first) : first;
      this.remove(message);
      if (!take(message)) continue;
      taken += 1;
      // Received with a visibility timeout of 0: again for the next receiver, but not twice for this one.
      if (message.state === 'visible') stillVisible.push(message);
    }
    for (const message of stillVisible) this.update(message);
  }

  clear(): void {
    for (let message = this.#visible.first; message; message = this.#visible.first) this.remove(message);
  }
}
