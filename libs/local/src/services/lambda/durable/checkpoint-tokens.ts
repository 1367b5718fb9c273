import { randomBytes } from 'node:crypto';
import { durableLimits } from '@millrace/events/aws-limits';
import type { Clock } from '../../../core/clock.ts';
import { invalidParameter } from '../lambda-errors.ts';

/**
 * The token of the invocation under way: each checkpoint spends it and gives the next one, so that checkpoints come in order and only
 * from the newest invocation.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html
 */
export class CheckpointTokens<Answer> {
  readonly #clock: Clock;
  /** What was answered to requests with a client token, by the tokens that they carried. */
  #answers = new Map<string, { at: number; answer: Answer }>();
  #current: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Spends the token that there is. @returns the next one */
  next(): string {
    this.#current = randomBytes(24).toString('base64url');
    return this.#current;
  }

  /** Spends the token, and gives no other: the invocation has ended. */
  close(): void {
    this.#current = undefined;
    this.#answers = new Map();
  }

  /** @throws AwsError InvalidParameterValueException for any but the current token */
  require(token: unknown): void {
    if (this.#current === undefined || token !== this.#current) throw invalidParameter('Invalid checkpoint token');
  }

  /** What was answered to the same request, if it was made a short time ago. */
  answerTo(token: unknown, clientToken: string | undefined): Answer | undefined {
    if (clientToken === undefined) return undefined;
    const known = this.#answers.get(`${token} ${clientToken}`);
    return known && this.#clock.now() < known.at + durableLimits.clientTokenMinutes * 60_000 ? known.answer : undefined;
  }

  /** Remembers an answer for a request that is repeated. */
  remember(token: unknown, clientToken: string | undefined, answer: Answer): void {
    if (clientToken === undefined) return;
    this.#answers.set(`${token} ${clientToken}`, { at: this.#clock.now(), answer });
  }
}
