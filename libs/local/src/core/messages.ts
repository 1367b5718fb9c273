import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';

/** An e-mail or SMS that a function sent. On this machine nothing leaves: it is kept here. */
export interface CapturedMessage {
  id: string;
  kind: 'email' | 'sms';
  /** Every recipient: e-mail addresses (to, cc and bcc) or one phone number in E.164. */
  to: string[];
  from?: string;
  subject?: string;
  text?: string;
  html?: string;
  /** Of an e-mail made from a template that SES would have rendered. */
  template?: { name: string; data: string };
  /** ISO 8601. */
  sentAt: string;
}

const KEPT = 10_000;
const KEPT_CHARACTERS = 16 * 1024 * 1024;

/** The e-mails and SMS sent since the start, newest last. Only the newest are kept: 10,000, or 16 million characters. */
export class Messages {
  readonly #clock: Pick<Clock, 'now'>;
  #messages: CapturedMessage[] = [];
  #characters = 0;

  constructor(clock: Pick<Clock, 'now'> = { now: Date.now }) {
    this.#clock = clock;
  }

  /** @returns the message's id, which the service answers with */
  capture(message: Omit<CapturedMessage, 'id' | 'sentAt'>): string {
    const id = randomUUID();
    this.#messages.push({ id, ...message, sentAt: new Date(this.#clock.now()).toISOString() });
    this.#characters += charactersOf(message);
    while (this.#messages.length > KEPT || (this.#characters > KEPT_CHARACTERS && this.#messages.length > 1)) {
      const oldest = this.#messages.shift();
      if (oldest) this.#characters -= charactersOf(oldest);
    }
    return id;
  }

  /** @param filter `to`: one of the recipients, exactly; `kind`: only e-mails or only SMS */
  list(filter: { to?: string | undefined; kind?: string | undefined } = {}): CapturedMessage[] {
    return this.#messages.filter(
      ({ to, kind }) =>
        (filter.to === undefined || to.includes(filter.to)) && (filter.kind === undefined || kind === filter.kind),
    );
  }

  clear(): void {
    this.#messages = [];
    this.#characters = 0;
  }
}

function charactersOf({ subject = '', text = '', html = '', template }: Partial<CapturedMessage>): number {
  return subject.length + text.length + html.length + (template?.data.length ?? 0);
}
