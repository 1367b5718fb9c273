import { type SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Mail } from '../templates/mail.ts';
import { deliveryError } from './delivery-error.ts';

/** What no retry can mend. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors */
const permanent = new Set([
  'AccountSuspendedException',
  'BadRequestException',
  'MailFromDomainNotVerifiedException',
  'MessageRejected',
  'NotFoundException',
]);

/** Sends mail through SES. */
export class Mailer {
  readonly #client: Pick<SESv2Client, 'send'>;
  readonly #from: string;

  constructor(client: Pick<SESv2Client, 'send'>, from: string) {
    this.#client = client;
    this.#from = from;
  }

  /** Resolves when SES has accepted the mail. @throws MessageRefusedError, MessageNotSentError */
  async send(to: string, { subject, text, html }: Mail): Promise<void> {
    const content = (Data: string) => ({ Data, Charset: 'UTF-8' });
    const command = new SendEmailCommand({
      FromEmailAddress: this.#from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: content(subject), Body: { Text: content(text), Html: content(html) } } },
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw deliveryError('SES', permanent, error);
    }
  }
}
