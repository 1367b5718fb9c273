import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from './environment-credentials.ts';

/** A request as it is signed: a POST without a query string, which is all that the JSON protocols have. */
export interface UnsignedRequest {
  path: string;
  /** With lower-case names. All of them are signed. */
  headers: Record<string, string>;
  body: string;
}

/** Signs requests with Signature Version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export class RequestSigner {
  readonly #region: string;
  readonly #service: string;
  /** The key of the last day and secret: four HMACs that nearly every request shares with the one before. */
  #known: { day: string; secret: string; key: Buffer } | undefined;

  /** @param service as in the credential scope, e.g. `events` */
  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** @returns the headers of the request with `x-amz-date`, `x-amz-security-token` and `authorization` */
  sign({ path, headers, body }: UnsignedRequest, credentials: Credentials, now: Date): Record<string, string> {
    // 2026-11-30T12:34:56.789Z → 20261130T123456Z
    const time = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const day = time.slice(0, 8);
    const signed: Record<string, string> = { ...headers, 'x-amz-date': time };
    if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken;
    const names = Object.keys(signed).sort();
    const list = names.join(';');
    const canonicalHeaders = names.map((name) => `${name}:${signed[name]}\n`).join('');
    const canonicalRequest = `POST\n${path}\n\n${canonicalHeaders}\n${list}\n${sha256(body)}`;
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonicalRequest)}`;
    const signature = createHmac('sha256', this.#key(day, credentials.secretAccessKey)).update(text).digest('hex');
    signed.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`;
    return signed;
  }

  #key(day: string, secret: string): Buffer {
    if (this.#known?.day !== day || this.#known.secret !== secret) {
      let key: string | Buffer = `AWS4${secret}`;
      for (const part of [day, this.#region, this.#service, 'aws4_request']) {
        key = createHmac('sha256', key).update(part).digest();
      }
      this.#known = { day, secret, key: key as Buffer };
    }
    return this.#known.key;
  }
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
