import type * as sdk from '@aws-sdk/client-eventbridge';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

/** Puts events on a bus. An entry that is refused has an `ErrorCode` in the output. */
export class PutEventsCommand extends Command<
  'events',
  sdk.PutEventsCommandInput,
  OutputOf<sdk.PutEventsCommandOutput>
> {
  readonly service = 'events';
  readonly operation = 'PutEvents';
}

export type EventBridge = Sender<'events'>;

/**
 * A client for EventBridge.
 *
 * @param options as of `documentClient`
 * @example await eventBridge().send(new PutEventsCommand({ Entries: [{ Source: 'millrace.orders', DetailType, Detail }] }));
 */
export function eventBridge(options?: ClientOptions): EventBridge {
  return createSender(
    { name: 'events', protocol: jsonProtocol('AWSEvents', '1.1'), endpointVariable: 'AWS_ENDPOINT_URL_EVENTBRIDGE' },
    options,
    { input: withSeconds },
  );
}

/** JSON would make texts of the entries' times, and the protocol takes seconds. */
function withSeconds({ Entries = [], ...input }: Partial<sdk.PutEventsCommandInput>): object {
  return {
    ...input,
    Entries: Entries.map(({ Time, ...entry }) => ({ ...entry, ...(Time && { Time: Time.getTime() / 1000 }) })),
  };
}
