import type { DeadLetter } from '../dead-letter.ts';

/** What became of one letter. */
export interface Outcome {
  letter: DeadLetter;
  /** `done` means as asked; `left` that it is not, for the reason given; `failed` that it is in two places. */
  result: 'done' | 'left' | 'failed';
  /** Said once for all letters that share it: `redriven to millrace-orders-dev-on-order-progress`. */
  text: string;
  /** Set when SQS or Lambda does not work: the operation stops. */
  stop?: boolean;
}
