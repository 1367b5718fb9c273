import { AwsError } from '../../core/aws-error.ts';

export type MacAlgorithm = 'HMAC_SHA_224' | 'HMAC_SHA_256' | 'HMAC_SHA_384' | 'HMAC_SHA_512';

/** The specs of keys that make codes. https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html */
export const macSpecs: Readonly<Record<string, { algorithm: MacAlgorithm; bytes: number }>> = {
  HMAC_224: { algorithm: 'HMAC_SHA_224', bytes: 28 },
  HMAC_256: { algorithm: 'HMAC_SHA_256', bytes: 32 },
  HMAC_384: { algorithm: 'HMAC_SHA_384', bytes: 48 },
  HMAC_512: { algorithm: 'HMAC_SHA_512', bytes: 64 },
};

/** Of Node's crypto, for each algorithm. */
export const digests: Readonly<Record<MacAlgorithm, string>> = {
  HMAC_SHA_224: 'sha224',
  HMAC_SHA_256: 'sha256',
  HMAC_SHA_384: 'sha384',
  HMAC_SHA_512: 'sha512',
};

/** The spec of a key that a template gives none. */
export const SYMMETRIC = 'SYMMETRIC_DEFAULT';
const MAC_USAGE = 'GENERATE_VERIFY_MAC';

/**
 * Checks that spec and usage of a key belong together.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-KeyUsage
 * @throws AwsError ValidationException, UnsupportedOperationException
 */
export function checkKind({ spec, usage, rotates }: { spec: string; usage: string; rotates: boolean }): void {
  const makesMacs = Object.hasOwn(macSpecs, spec);
  if (makesMacs !== (usage === MAC_USAGE)) {
    throw new AwsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  if (spec === SYMMETRIC && usage !== 'ENCRYPT_DECRYPT') {
    throw new AwsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  // https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html
  if (rotates && spec !== SYMMETRIC) {
    throw new AwsError(
      'UnsupportedOperationException',
      `Keys of KeySpec ${spec} are not rotated: remove EnableKeyRotation`,
    );
  }
}
