import { createHmac } from 'node:crypto';
import { GenerateMacCommand, type Kms, kms } from '@millrace/aws';
import { variableFrom } from '@millrace/errors';
import type { Pseudonymize } from '@millrace/events';

/** Gets what makes pseudonyms. It is asked for again after it has failed. */
export type PseudonymSource = () => Promise<Pseudonymize>;

/** Its code is the key of all pseudonyms of a stage. With another text every person would have another pseudonym. */
const DERIVATION = Buffer.from('millrace/pseudonyms/v1');
/** 128 bits: of a billion persons no two share a pseudonym. */
const PSEUDONYM_LENGTH = 32;
/** Events are on the bus by then: a relay that runs out of time while it waits would put them there again. */
const LIMITS = { connectMs: 500, responseMs: 1_000 };

/**
 * Makes pseudonyms with a key of KMS: the code (HMAC-SHA-256) of a person's id. The key of this HMAC is a code itself, which KMS makes
 * once for each container, so an event costs no request. Whoever may not ask KMS for it cannot find the id behind a pseudonym, not even
 * by trying all ids. https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
 *
 * @param keyArn of a key with KeySpec HMAC_256 and KeyUsage GENERATE_VERIFY_MAC
 * @throws AwsError, or what the network throws, by the promise; nothing is remembered then
 * @example
 * const pseudonymize = await pseudonymsOf(keyArn)();
 * pseudonymize('customer-1'); // '3b1f0c9d8e7a65544332211000ffeedd'
 */
export function pseudonymsOf(keyArn: string, client: Kms = kms({ limits: LIMITS })): PseudonymSource {
  let known: Promise<Pseudonymize> | undefined;
  return () => {
    known ??= derive(keyArn, client).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

/** @throws ConfigurationError when MILLRACE_PSEUDONYM_KEY_ARN is not set: the plugin sets it for a function that `emits` such events */
export function pseudonymsFromEnvironment(): PseudonymSource {
  return pseudonymsOf(
    variableFrom('MILLRACE_PSEUDONYM_KEY_ARN', 'the ARN of the key of pseudonyms; list the events under `emits`'),
  );
}

async function derive(keyArn: string, client: Kms): Promise<Pseudonymize> {
  const request = new GenerateMacCommand({ KeyId: keyArn, MacAlgorithm: 'HMAC_SHA_256', Message: DERIVATION });
  const { Mac } = await client.send(request);
  if (Mac?.length !== 32) throw new Error('KMS has answered without a code of 32 bytes');
  return (personId) => createHmac('sha256', Mac).update(personId).digest('hex').slice(0, PSEUDONYM_LENGTH);
}
