import { Readable } from 'node:stream';
import type { AnswerDirect, DirectRequest } from '../../core/http-message.ts';
import type { ContainerMessage } from './worker/messages.ts';

/** Answers the requests to AWS that come from a container: they are those of its function, whatever they say themselves. */
export class FunctionRequests {
  readonly #functionName: string;
  readonly #answer: AnswerDirect;
  readonly #post: (message: ContainerMessage) => void;
  readonly #underWay = new Map<number, AbortController>();

  /** @param post sends to the container */
  constructor(functionName: string, answer: AnswerDirect, post: (message: ContainerMessage) => void) {
    this.#functionName = functionName;
    this.#answer = answer;
    this.#post = post;
  }

  /** Answers a request. Never rejects. */
  async take(id: number, request: DirectRequest): Promise<void> {
    const abort = new AbortController();
    this.#underWay.set(id, abort);
    try {
      const sender = { functionName: this.#functionName, signal: abort.signal };
      const { status, headers, body } = await this.#answer(request, sender);
      if (!(body instanceof Readable)) {
        this.#post({ type: 'answer', id, answer: { status, headers, body } });
        return;
      }
      this.#post({ type: 'answer', id, answer: { status, headers } });
      await this.#sendParts(id, body);
    } finally {
      this.#underWay.delete(id);
    }
  }

  /** Gives a request up that is not waited for any more. */
  cancel(id: number): void {
    this.#underWay.get(id)?.abort();
  }

  /** Gives all requests up: the container has ended. */
  cancelAll(): void {
    for (const abort of this.#underWay.values()) abort.abort();
  }

  async #sendParts(id: number, body: Readable): Promise<void> {
    const signal = this.#underWay.get(id)?.signal;
    try {
      for await (const part of body) {
        if (signal?.aborted) return;
        this.#post({ type: 'part', id, part: new Uint8Array(Buffer.from(part)) });
      }
      this.#post({ type: 'end', id });
    } catch (error) {
      this.#post({ type: 'end', id, error: (error as Error).message });
    }
  }
}
