import { Readable } from 'node:stream';
import type { DirectRequest } from '../../../core/http-message.ts';
import type { ContainerMessage, PortAnswer, WorkerMessage } from './messages.ts';

/** An answer of AWS, whose body may be a stream. */
export type Answer = Required<Omit<PortAnswer, 'body'>> & { body: string | Uint8Array | Readable };

interface Waiting {
  resolve: (answer: Answer) => void;
  /** Of an answer whose parts still come. */
  body?: Readable;
}

/** Sends a function's requests to AWS through the port of its container: no socket, no HTTP, and no doubt who sends. */
export class AwsPort {
  readonly #post: (message: WorkerMessage) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(post: (message: WorkerMessage) => void) {
    this.#post = post;
  }

  /**
   * @returns the answer, and `cancel`, which gives the request up: the answer never comes then, or its body ends with the reason as its
   *   error
   */
  send(request: DirectRequest): { answer: Promise<Answer>; cancel: (reason?: Error) => void } {
    this.#last += 1;
    const id = this.#last;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, { resolve }));
    this.#post({ type: 'request', id, request });
    const cancel = (reason?: Error): void => {
      const waiting = this.#waiting.get(id);
      if (!waiting) return;
      this.#waiting.delete(id);
      this.#post({ type: 'cancel', id });
      waiting.body?.destroy(reason);
    };
    return { answer, cancel };
  }

  /** Takes what the runtime sends back. */
  receive(message: Exclude<ContainerMessage, { type: 'invoke' | 'exit' }>): void {
    const { id } = message;
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (message.type === 'answer') {
      const { status, headers, body = new Readable({ read() {} }) } = message.answer;
      if (body instanceof Readable) waiting.body = body;
      else this.#waiting.delete(id);
      waiting.resolve({ status, headers, body });
    } else if (message.type === 'part') {
      waiting.body?.push(message.part);
    } else {
      this.#waiting.delete(id);
      if (message.error === undefined) waiting.body?.push(null);
      else waiting.body?.destroy(new Error(message.error));
    }
  }
}
