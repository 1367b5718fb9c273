import { SendMessageBatchCommand, SendMessageCommand, type Sqs } from '@millrace/aws';
import { batches, callBatch, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES } from '@millrace/dead-letters';
import { TransientError } from '@millrace/errors';

/** A message for a dead-letter queue. */
export type Letter = Omit<SendMessageCommand['input'], 'QueueUrl' | 'MessageBody'> & { MessageBody: string };

/** The dead-letter queue did not take a letter: its record comes again. */
class LetterNotTakenError extends TransientError {}

interface Waiting {
  letter: Letter;
  taken: () => void;
  failed: (reason: unknown) => void;
}

/**
 * Sends letters to a dead-letter queue, those that come at once in one request for ten. A batch of a hundred bad messages is
 * then ten requests, which end in time on a busy function; a hundred may not, and the messages would come again, although
 * their letters are sent.
 */
export class LetterBox {
  readonly #sqs: Sqs;
  readonly #queueUrl: string;
  #waiting: Waiting[] = [];

  constructor(sqs: Sqs, queueUrl: string) {
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
  }

  /**
   * Resolves when the queue has stored the letter.
   * @throws what SQS throws; LetterNotTakenError when it took others of the same request alone
   * @example await letterBox.send({ MessageBody: record.body, MessageAttributes });
   */
  send(letter: Letter): Promise<void> {
    return new Promise((taken, failed) => {
      this.#waiting.push({ letter, taken, failed });
      // The others of a batch that was refused as a whole are put in before this runs.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    const limits = { maxCount: MAX_BATCH_ENTRIES, maxSize: MAX_BATCH_BYTES };
    for (const some of batches(all, { ...limits, sizeOf: ({ letter }) => sizeOf(letter) })) {
      this.#deliver(some).catch((error: unknown) => {
        for (const { failed } of some) failed(error);
      });
    }
  }

  async #deliver(letters: readonly Waiting[]): Promise<void> {
    const [only, ...others] = letters;
    if (only && others.length === 0) {
      await this.#sqs.send(new SendMessageCommand({ QueueUrl: this.#queueUrl, ...only.letter }));
      only.taken();
      return;
    }
    const failures = await callBatch(letters, (entries) =>
      this.#sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: this.#queueUrl,
          Entries: entries.map(({ Id, item }) => ({ Id, ...item.letter })),
        }),
      ),
    );
    for (const each of letters) {
      const failure = failures.get(each);
      if (failure)
        each.failed(new LetterNotTakenError('LETTER_NOT_TAKEN', `SQS did not take a letter: ${failure.code}`));
      else each.taken();
    }
  }
}

/** Bytes as SQS counts them: body, and name, type and value of each attribute. */
function sizeOf({ MessageBody, MessageAttributes = {} }: Letter): number {
  return Object.entries(MessageAttributes).reduce(
    (bytes, [name, { DataType = '', StringValue = '' }]) =>
      bytes + Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue),
    Buffer.byteLength(MessageBody),
  );
}
