import type * as sdk from '@aws-sdk/client-sqs';
import { AwsClient, type ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';

export class SendMessageCommand extends Command<
  'sqs',
  sdk.SendMessageCommandInput,
  OutputOf<sdk.SendMessageCommandOutput>
> {
  readonly service = 'sqs';
  readonly operation = 'SendMessage';
}

export class SendMessageBatchCommand extends Command<
  'sqs',
  sdk.SendMessageBatchCommandInput,
  OutputOf<sdk.SendMessageBatchCommandOutput>
> {
  readonly service = 'sqs';
  readonly operation = 'SendMessageBatch';
}

export class DeleteMessageCommand extends Command<'sqs', sdk.DeleteMessageCommandInput, object> {
  readonly service = 'sqs';
  readonly operation = 'DeleteMessage';
}

export class ChangeMessageVisibilityCommand extends Command<
  'sqs',
  sdk.ChangeMessageVisibilityCommandInput,
  OutputOf<sdk.ChangeMessageVisibilityCommandOutput>
> {
  readonly service = 'sqs';
  readonly operation = 'ChangeMessageVisibility';
}

export type Sqs = Sender<'sqs'>;

/**
 * A client for SQS.
 *
 * @param options as of `documentClient`
 * @example await sqs().send(new SendMessageCommand({ QueueUrl, MessageBody }));
 */
export function sqs(options?: ClientOptions): Sqs {
  const client = new AwsClient(
    { name: 'sqs', target: 'AmazonSQS', jsonVersion: '1.0', endpointVariable: 'AWS_ENDPOINT_URL_SQS' },
    options,
  );
  return {
    send: async <Input extends object, Output>({ operation, input }: Command<'sqs', Input, Output>) =>
      (await client.call(operation, withBase64(input))) as Output,
  };
}

/** JSON has no bytes. */
function withBase64({
  MessageAttributes,
  Entries,
  ...input
}: Partial<sdk.SendMessageCommandInput & sdk.SendMessageBatchCommandInput>): object {
  if (Entries) return { ...input, Entries: Entries.map(withBase64) };
  if (!MessageAttributes) return input;
  const attributes = Object.entries(MessageAttributes).map(([name, { BinaryValue, ...attribute }]) => [
    name,
    BinaryValue ? { ...attribute, BinaryValue: Buffer.from(BinaryValue).toString('base64') } : attribute,
  ]);
  return { ...input, MessageAttributes: Object.fromEntries(attributes) };
}
