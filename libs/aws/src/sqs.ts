import type * as sdk from '@aws-sdk/client-sqs';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { withBase64 } from './conversions.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

abstract class SqsCommand<Input extends object, Output> extends Command<'sqs', Input, OutputOf<Output>> {
  readonly service = 'sqs';
}

export class SendMessageCommand extends SqsCommand<sdk.SendMessageCommandInput, sdk.SendMessageCommandOutput> {
  readonly operation = 'SendMessage';
}

export class SendMessageBatchCommand extends SqsCommand<
  sdk.SendMessageBatchCommandInput,
  sdk.SendMessageBatchCommandOutput
> {
  readonly operation = 'SendMessageBatch';
}

export class DeleteMessageCommand extends SqsCommand<sdk.DeleteMessageCommandInput, sdk.DeleteMessageCommandOutput> {
  readonly operation = 'DeleteMessage';
}

export class DeleteMessageBatchCommand extends SqsCommand<
  sdk.DeleteMessageBatchCommandInput,
  sdk.DeleteMessageBatchCommandOutput
> {
  readonly operation = 'DeleteMessageBatch';
}

export class ChangeMessageVisibilityCommand extends SqsCommand<
  sdk.ChangeMessageVisibilityCommandInput,
  sdk.ChangeMessageVisibilityCommandOutput
> {
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
  return createSender(
    { name: 'sqs', protocol: jsonProtocol('AmazonSQS', '1.0'), endpointVariable: 'AWS_ENDPOINT_URL_SQS' },
    options,
    { input: withBase64 },
  );
}
