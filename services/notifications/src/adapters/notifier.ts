import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SNSClient } from '@aws-sdk/client-sns';
import { CircuitBreaker, circuitSettingsFromEnvironment, DynamoDbCircuitStore } from '@millrace/circuit-breaker';
import type { RecordContext } from '@millrace/consumer';
import { PermanentError } from '@millrace/errors';
import { type Table, tableFromEnvironment } from '@millrace/event-store';
import { idempotencyTableFromEnvironment } from '@millrace/idempotency/table-name';
import type { Message } from '../domain/message.ts';
import { MessageNotSentError } from './delivery-error.ts';
import { emailAddressFrom } from './email-address.ts';
import { Mailer } from './mailer.ts';
import { SentLog } from './sent-log.ts';
import { TextMessenger } from './text-messenger.ts';

/** SES and SNS fail apart from each other. */
type Circuits = Record<Message['channel'], CircuitBreaker>;

/** Sends the messages an event leads to, each of them once. */
export class Notifier {
  readonly #mailer: Mailer;
  readonly #textMessenger: TextMessenger;
  readonly #sentLog: SentLog;
  readonly #circuits: Circuits;

  constructor(mailer: Mailer, textMessenger: TextMessenger, sentLog: SentLog, circuits: Circuits) {
    this.#mailer = mailer;
    this.#textMessenger = textMessenger;
    this.#sentLog = sentLog;
    this.#circuits = circuits;
  }

  /**
   * Sends all messages. One that fails keeps no other from being sent, and when the event is tried again the others are
   * left out.
   * @throws the first failure, one that may pass before one that cannot.
   */
  async send(messages: readonly Message[], { once, inbox }: Pick<RecordContext, 'once' | 'inbox'>): Promise<void> {
    const results = await Promise.allSettled(
      messages.map(async (message) => {
        const circuit = this.#circuits[message.channel];
        await circuit.check();
        await once(message.channel, () => circuit.run(() => this.#deliver(message)));
        // Outside the step: a record that cannot be written must not send the message again.
        await this.#sentLog.record(message, inbox.eventId);
      }),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // A permanent failure ends the event's retries, so it has to wait for the message that still can be sent.
    if (failures.length > 0) throw failures.find((failure) => !(failure instanceof PermanentError)) ?? failures[0];
  }

  #deliver(message: Message): Promise<void> {
    switch (message.channel) {
      case 'email':
        return this.#mailer.send(message.to, message.mail);
      case 'sms':
        return this.#textMessenger.send(message.to, message.text);
    }
  }
}

/** The notifier that the variables of a function describe. @throws ConfigurationError */
export function notifierFromEnvironment(variables: NodeJS.ProcessEnv = process.env): Notifier {
  const { client, name } = tableFromEnvironment('MILLRACE_TABLE', variables);
  // Beside the marks of what was sent: the functions may read and write that table anyway, and only append to the sent log.
  const circuits = circuitsIn({ client, name: idempotencyTableFromEnvironment(variables) }, variables);
  return new Notifier(
    new Mailer(new SESv2Client({}), emailAddressFrom('MILLRACE_MAIL_FROM', variables)),
    new TextMessenger(new SNSClient({})),
    new SentLog(client, name),
    circuits,
  );
}

function circuitsIn(table: Table, variables: NodeJS.ProcessEnv): Circuits {
  const settings = circuitSettingsFromEnvironment(variables);
  const circuit = (name: Message['channel']) =>
    new CircuitBreaker(name, {
      store: new DynamoDbCircuitStore(table, { id: `circuit#${name}` }),
      settings,
      isFailure: (error) => error instanceof MessageNotSentError,
    });
  return { email: circuit('email'), sms: circuit('sms') };
}
