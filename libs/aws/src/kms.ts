import type * as sdk from '@aws-sdk/client-kms';
import type { ClientOptions } from './aws-client.ts';
import { Command, type OutputOf, type Sender } from './command.ts';
import { withBase64 } from './conversions.ts';
import { jsonProtocol } from './protocol.ts';
import { createSender } from './sender.ts';

/** Makes the message authentication code (HMAC) of up to 4,096 bytes with a key that never leaves KMS. */
export class GenerateMacCommand extends Command<
  'kms',
  sdk.GenerateMacCommandInput,
  OutputOf<sdk.GenerateMacCommandOutput>
> {
  readonly service = 'kms';
  readonly operation = 'GenerateMac';
}

export type Kms = Sender<'kms'>;

/**
 * A client for the Key Management Service.
 *
 * @param options as of `documentClient`
 * @example const { Mac } = await kms().send(new GenerateMacCommand({ KeyId, MacAlgorithm: 'HMAC_SHA_256', Message }));
 */
export function kms(options?: ClientOptions): Kms {
  return createSender(
    { name: 'kms', protocol: jsonProtocol('TrentService', '1.1'), endpointVariable: 'AWS_ENDPOINT_URL_KMS' },
    options,
    { input: withBase64, output: withBytes },
  );
}

function withBytes({ Mac, ...output }: { Mac?: string }): object {
  return { ...output, ...(Mac !== undefined && { Mac: new Uint8Array(Buffer.from(Mac, 'base64')) }) };
}
