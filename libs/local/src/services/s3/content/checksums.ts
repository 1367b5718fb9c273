import { createHash } from 'node:crypto';
import { notImplemented, s3Error } from '../errors.ts';
import { Crc32, Crc32c, Crc64Nvme, type Digest } from './crc.ts';

class Hash implements Digest {
  readonly #hash: ReturnType<typeof createHash>;

  constructor(algorithm: string) {
    this.#hash = createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  base64(): string {
    return this.#hash.digest('base64');
  }
}

/**
 * The algorithms that S3 checks contents by, each with its number of bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
const algorithms: Readonly<Record<string, { bytes: number; create: () => Digest }>> = {
  CRC32: { bytes: 4, create: () => new Crc32() },
  CRC32C: { bytes: 4, create: () => new Crc32c() },
  CRC64NVME: { bytes: 8, create: () => new Crc64Nvme() },
  SHA1: { bytes: 20, create: () => new Hash('sha1') },
  SHA256: { bytes: 32, create: () => new Hash('sha256') },
  SHA512: { bytes: 64, create: () => new Hash('sha512') },
  MD5: { bytes: 16, create: () => new Hash('md5') },
};

const notHere = new Set(['XXHASH64', 'XXHASH3', 'XXHASH128']);

/** The names of the members that carry checksums, `ChecksumCRC32` and so on. */
export const checksumMembers = [...Object.keys(algorithms), ...notHere].map((algorithm) => `Checksum${algorithm}`);

/** What S3 checks by where the request names nothing. */
export const defaultAlgorithm = 'CRC64NVME';

/** @throws S3Error InvalidRequest for an algorithm that S3 does not have, NotImplemented for one that is not here */
export function createDigest(algorithm: string): Digest {
  const name = algorithm.toUpperCase();
  if (notHere.has(name)) throw notImplemented(`checksum algorithm ${name}`);
  if (!Object.hasOwn(algorithms, name)) {
    throw s3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types',
    );
  }
  return (algorithms[name] as { create: () => Digest }).create();
}

/** A checksum that a request has for its content: a value, or an algorithm whose value follows it as a trailer. */
export interface ExpectedChecksum {
  algorithm: string;
  value?: string | undefined;
}

/**
 * Reads the checksum of a request.
 *
 * @returns undefined where the request has none
 * @throws S3Error InvalidRequest for more than one, and for one that cannot be of its algorithm
 */
export function expectedChecksum(input: Readonly<Record<string, unknown>>): ExpectedChecksum | undefined {
  const given = checksumMembers.filter((member) => input[member] !== undefined);
  const [member, ...others] = given;
  if (others.length > 0) {
    throw s3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  if (member === undefined) {
    const algorithm = input.ChecksumAlgorithm;
    return algorithm === undefined ? undefined : { algorithm: String(algorithm).toUpperCase() };
  }
  const algorithm = member.slice('Checksum'.length);
  const value = String(input[member]);
  createDigest(algorithm);
  checkChecksum(algorithm, value.split('-')[0] ?? '');
  return { algorithm, value };
}

/** @throws S3Error InvalidRequest for a text that cannot be a checksum of an algorithm */
export function checkChecksum(algorithm: string, value: string): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== algorithms[algorithm]?.bytes || bytes.toString('base64') !== value) {
    throw s3Error('InvalidRequest', `Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
  }
}

/** The checksum over the checksums of parts, with their number behind it. */
export function compositeChecksum(algorithm: string, values: readonly string[]): string {
  const digest = createDigest(algorithm);
  for (const value of values) digest.update(Buffer.from(value, 'base64'));
  return `${digest.base64()}-${values.length}`;
}
