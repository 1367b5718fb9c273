import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { deliveryError } from './delivery-error.ts';

/** What no retry can mend. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors */
const permanent = new Set([
  'InvalidParameterException',
  'InvalidParameterValueException',
  'OptedOutException',
  'ValidationException',
]);

/** Sends SMS through SNS. */
export class TextMessenger {
  readonly #client: Pick<SNSClient, 'send'>;

  constructor(client: Pick<SNSClient, 'send'>) {
    this.#client = client;
  }

  /**
   * Resolves when SNS has accepted the SMS.
   * @param to E.164
   * @throws MessageRefusedError, MessageNotSentError
   */
  async send(to: string, text: string): Promise<void> {
    const command = new PublishCommand({
      PhoneNumber: to,
      Message: text,
      // Not Promotional, which SNS sends for the lowest price instead of the best chance to arrive.
      MessageAttributes: { 'AWS.SNS.SMS.SMSType': { DataType: 'String', StringValue: 'Transactional' } },
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw deliveryError('SNS', permanent, error);
    }
  }
}
