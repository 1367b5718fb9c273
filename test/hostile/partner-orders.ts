import type { AwsPort } from './aws-port.ts';
import type { ReceivedMessage } from './dead-letters.ts';
import type { Partner } from './deployed-stage.ts';
import type { InputReference } from './inputs.ts';
import type { Ledger } from './ledger.ts';
import { PartnerBook } from './partner-book.ts';
import { BYTES, firstOrder, type PartnerInput, type PartnerMessage } from './partner-inputs.ts';
import { PERSONAL_MARK } from './personal-mark.ts';
import type { Tally, Violation } from './tally.ts';

/** The queue of one partner under attack. */
export class PartnerOrders {
  readonly partner: Partner;
  readonly #aws: AwsPort;
  readonly #ledger: Ledger;
  readonly #tally: Tally;
  readonly #book: PartnerBook;

  constructor(partner: Partner, { aws, ledger, tally }: { aws: AwsPort; ledger: Ledger; tally: Tally }) {
    this.partner = partner;
    this.#aws = aws;
    this.#ledger = ledger;
    this.#tally = tally;
    this.#book = new PartnerBook(partner.partner);
  }

  /** Sends the order whose number is taken afterwards. */
  async sendFirst(): Promise<void> {
    const message: PartnerMessage = { kind: 'first', body: JSON.stringify(firstOrder), attributes: {}, fate: 'taken' };
    await this.#sendAlone(message);
  }

  /**
   * Sends messages in one call, so that they may come in one batch; one by one if SQS refuses the call for one of them.
   * @throws Error if SQS refuses an order, or answers 500
   */
  async send({ messages }: PartnerInput, input: InputReference): Promise<void> {
    const Entries = messages.map(({ body, attributes }, index) => ({
      ...{ Id: String(index), MessageBody: body, MessageAttributes: attributes },
    }));
    const isOne = messages.length === 1;
    const { status, text } = isOne
      ? { status: 400, text: '' }
      : await this.#aws.send('sqs', 'SendMessageBatch', JSON.stringify({ QueueUrl: this.partner.queueUrl, Entries }));
    if (status >= 500) throw new Error(`SendMessageBatch answered ${status}: ${text}`);
    if (status >= 400) {
      for (const message of messages) await this.#sendAlone(message, input);
      return;
    }
    const { Failed = [] } = JSON.parse(text) as { Failed?: { Id: string; Code: string }[] };
    const refused = new Map(Failed.map(({ Id, Code }) => [Number(Id), Code]));
    for (const [index, message] of messages.entries()) this.#record(message, refused.get(index), input);
  }

  /** A message was taken out of the partner's dead-letter queue. */
  bury({ Body, MessageAttributes }: ReceivedMessage): Violation[] {
    this.#book.refuse(Body);
    const { name } = this.partner;
    const isPersonal = JSON.stringify(MessageAttributes ?? {}).includes(PERSONAL_MARK);
    return isPersonal ? [{ what: `${name}: the reason of a dead letter has personal data` }] : [];
  }

  /** An event was on the bus. */
  hear(event: { 'detail-type': string; detail: unknown }): void {
    this.#book.hear(event);
  }

  /** What does not add up. */
  violations(): Violation[] {
    return this.#book.violations();
  }

  async #sendAlone(message: PartnerMessage, input?: InputReference): Promise<void> {
    const request = JSON.stringify({
      QueueUrl: this.partner.queueUrl,
      MessageBody: message.body,
      MessageAttributes: message.attributes,
    });
    const { status, text } = await this.#aws.send('sqs', 'SendMessage', withBytes(request, message.bytes));
    if (status >= 500) throw new Error(`SendMessage answered ${status}: ${text}`);
    const code = status >= 400 ? (JSON.parse(text) as { __type: string }).__type : undefined;
    this.#record(message, code, input);
  }

  /** @param refused the code with which SQS refused the message */
  #record(message: PartnerMessage, refused: string | undefined, input?: InputReference): void {
    const { kind, fate, bytes } = message;
    this.#tally.count('partner', kind, refused === undefined ? 'sent' : `refused: ${refused}`);
    if (refused !== undefined) {
      if (fate === 'taken') throw new Error(`SQS refused a sound order: ${refused}`);
      return;
    }
    const body = bytes ? message.body.replace(BYTES, () => bytes.toString()) : message.body;
    this.#book.send(body, message, input);
    if (fate !== 'dropped') this.#ledger.receive(this.partner.name, body, { kind: `partner, ${kind}`, fate, input });
  }
}

function withBytes(request: string, bytes: Buffer | undefined): string | Buffer {
  if (!bytes) return request;
  const [before = '', after = ''] = request.split(BYTES);
  return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
}
