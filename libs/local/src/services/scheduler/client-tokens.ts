import { isDeepStrictEqual } from 'node:util';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';

interface Answered {
  input: Input;
  output: object;
  at: number;
}

/** Long enough for every retry of an SDK. */
const KEPT_MS = 8 * 3_600_000;

/** The client tokens of requests that were answered: a request that comes again is answered in the same way, and not done again. */
export class ClientTokens {
  readonly #clock: Clock;
  /** By operation and token, oldest first. */
  readonly #answered = new Map<string, Answered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Does what a request asks for, unless it came before with the same token.
   * @throws AwsError ConflictException for another request with the same token; what `action` throws
   */
  once<Output extends object>(operation: string, input: Input, action: () => Output): Output {
    const { ClientToken, ...parameters } = input;
    if (ClientToken === undefined) return action();
    const now = this.#clock.now();
    for (const [key, { at }] of this.#answered) {
      if (at > now - KEPT_MS) break;
      this.#answered.delete(key);
    }
    const key = `${operation} ${ClientToken}`;
    const answered = this.#answered.get(key);
    if (answered) {
      if (isDeepStrictEqual(answered.input, parameters)) return answered.output as Output;
      throw new AwsError('ConflictException', 'A different request with the same client token was made before.', 409);
    }
    const output = action();
    this.#answered.set(key, { input: parameters, output, at: now });
    return output;
  }
}
