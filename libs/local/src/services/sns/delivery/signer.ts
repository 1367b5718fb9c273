import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { SnsStore } from '../store/sns-store.ts';
import { selfSignedCertificate } from './certificate.ts';

interface SigningKey {
  privateKey: string;
  certificate: string;
}

/** The fields that are signed, in this order, of a notification and of the other messages. */
const signedFields = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const;

export type MessageType = keyof typeof signedFields;

/**
 * Signs messages with a key of this machine, whose certificate is served at `SigningCertURL`.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export class MessageSigner {
  readonly #store: SnsStore;
  readonly #origin: string;
  readonly #now: () => number;
  #key: SigningKey | undefined;
  /** Read once: to read it takes longer than to sign. */
  #privateKey: KeyObject | undefined;

  /** @param origin of the URLs: `http://127.0.0.1:4566` */
  constructor({ store, origin, now }: { store: SnsStore; origin: string; now: () => number }) {
    this.#store = store;
    this.#origin = origin;
    this.#now = now;
  }

  /** The path below which the certificate is. */
  get certificatePath(): string {
    const fingerprint = createHash('sha256').update(this.certificate).digest('hex').slice(0, 32);
    return `/SimpleNotificationService-${fingerprint}.pem`;
  }

  /** In PEM. */
  get certificate(): string {
    return this.#signingKey().certificate;
  }

  /**
   * The signature of a message.
   * @param version 1 for SHA-1, 2 for SHA-256
   */
  sign(message: Readonly<Record<string, unknown>> & { Type: MessageType }, version: '1' | '2'): object {
    const text = signedFields[message.Type]
      .filter((field) => message[field] !== undefined)
      .map((field) => `${field}\n${message[field]}\n`)
      .join('');
    this.#privateKey ??= createPrivateKey(this.#signingKey().privateKey);
    const signature = sign(version === '2' ? 'sha256' : 'sha1', Buffer.from(text), this.#privateKey);
    return {
      SignatureVersion: version,
      Signature: signature.toString('base64'),
      SigningCertURL: this.#origin + this.certificatePath,
    };
  }

  /** Made when it is first needed, and kept: a receiver may have kept the certificate. */
  #signingKey(): SigningKey {
    this.#key ??= this.#store.setting<SigningKey>('signingKey');
    if (this.#key) return this.#key;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const certificate = selfSignedCertificate(privateKey, 'sns.localhost', new Date(this.#now()));
    this.#key = { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
    this.#store.setSetting('signingKey', this.#key);
    return this.#key;
  }
}
