import type * as sdk from '@aws-sdk/client-kinesis';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { withBase64 } from './conversions.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

/** Puts records into a stream. A record that is refused has an `ErrorCode` in the output. */
export class PutRecordsCommand extends Command<
  'kinesis',
  sdk.PutRecordsCommandInput,
  OutputOf<sdk.PutRecordsCommandOutput>
> {
  readonly service = 'kinesis';
  readonly operation = 'PutRecords';
}

export type Kinesis = Sender<'kinesis'>;

/**
 * A client for Kinesis Data Streams.
 *
 * @param options as of `documentClient`
 * @example await kinesis().send(new PutRecordsCommand({ StreamName, Records: [{ PartitionKey, Data }] }));
 */
export function kinesis(options?: ClientOptions): Kinesis {
  return createSender(
    {
      name: 'kinesis',
      protocol: jsonProtocol('Kinesis_20131202', '1.1'),
      endpointVariable: 'AWS_ENDPOINT_URL_KINESIS',
    },
    options,
    { input: withBase64 },
  );
}
