import { AwsClient, type ClientOptions, type ServiceDefinition } from './aws-client.ts';
import type { Command, Sender } from './command.ts';
import type { Operation } from './protocol.ts';

/** How the members of an API differ in the SDK's types and in its protocol. Without a conversion they are the same. */
export interface Conversions {
  input?: (input: object) => object;
  output?: (output: object) => unknown;
}

/**
 * Makes the client of an API, which sends its commands.
 *
 * @param service how the API is called
 * @param options what is different from the client of a function
 * @example
 * export const sqs = (options?: ClientOptions): Sqs => createSender(service, options, { input: withBase64 });
 */
export function createSender<Service extends string, Called extends Operation>(
  service: ServiceDefinition<Called>,
  options: ClientOptions | undefined,
  { input: toWire = same, output: fromWire = same }: Conversions,
): Sender<Service, Called> {
  const client = new AwsClient(service, options);
  return {
    send: async <Input extends object, Output>(command: Command<Service, Input, Output> & Called) =>
      fromWire(await client.call(command, toWire(command.input))) as Output,
  };
}

function same(members: object): object {
  return members;
}
