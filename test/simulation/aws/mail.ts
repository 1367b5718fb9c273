import type { Container } from '../container.ts';

/** A message that SES or SNS has taken. */
interface SentMessage {
  to: string;
  subject: string;
  container: Container;
}

/** SES and SNS. */
export class Mail {
  readonly sent: SentMessage[] = [];
  /** What each container has sent since its invocation began. */
  readonly #unmarked = new Map<Container, Set<string>>();
  readonly #interruptions = new Map<string, number>();

  /** SendEmail. */
  send(
    input: { Destination: { ToAddresses: string[] }; Content: { Simple: { Subject: { Data: string } } } },
    container: Container,
  ): object {
    const [to = ''] = input.Destination.ToAddresses;
    return { MessageId: this.#take(to, input.Content.Simple.Subject.Data, container) };
  }

  /** Publish. */
  publish({ PhoneNumber = '', Message = '' }: Record<string, string>, container: Container): object {
    return { MessageId: this.#take(PhoneNumber, Message, container) };
  }

  #take(to: string, subject: string, container: Container): string {
    this.sent.push({ to, subject, container });
    this.#unmarked.set(container, (this.#unmarked.get(container) ?? new Set()).add(to));
    // It was on its way when its sender died.
    if (!container.alive) this.interrupt(container);
    return `message-${this.sent.length}`;
  }

  /** A call of the container fails, or it dies: that it has sent a message may not have come to be on record. */
  interrupt(container: Container): void {
    for (const to of this.#unmarked.get(container) ?? []) {
      this.#interruptions.set(to, (this.#interruptions.get(to) ?? 0) + 1);
    }
  }

  /** An invocation of the container is over. */
  settle(container: Container): void {
    this.#unmarked.delete(container);
  }

  /** How often somebody may have forgotten that a message to this address was sent. */
  interruptionsOf(to: string): number {
    return this.#interruptions.get(to) ?? 0;
  }
}
