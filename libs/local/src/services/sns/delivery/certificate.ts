import { createHash, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';

/**
 * Makes a certificate for a key, signed with the key itself. Node.js reads certificates and does not make them; this one has
 * nothing but what X.509 asks for.
 * https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 *
 * @returns PEM
 */
export function selfSignedCertificate(privateKey: KeyObject, commonName: string, validFrom: Date): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const validTo = new Date(validFrom.getTime() + 10 * 365 * 86_400_000);
  const algorithm = sequence(oid(sha256WithRsa), der(0x05));
  const name = sequence(der(0x31, sequence(oid(commonNameOid), der(0x0c, Buffer.from(commonName)))));
  const serial = createHash('sha256').update(publicKey).digest().subarray(0, 16);
  // Positive: a number whose first bit is set would be negative.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    sequence(time(validFrom), time(validTo)),
    name,
    publicKey,
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]));
  return new X509Certificate(sequence(toBeSigned, algorithm, signature)).toString();
}

const sha256WithRsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const commonNameOid = [0x55, 0x04, 0x03];

function oid(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** GeneralizedTime, to the second. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}

/** A value with its tag and length. https://www.itu.int/rec/T-REC-X.690 */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content]);
}
