import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from './environment-credentials.ts';
import type { RequestParts } from './protocol.ts';

/** As RFC 3986 has it, which is stricter than `encodeURIComponent`. @throws URIError for a text that is not valid Unicode */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A query string as it is signed: encoded, in the order of names and values. */
export function canonicalQuery(parameters: readonly (readonly [name: string, value: string])[]): string {
  const encoded = parameters.map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const);
  const compare = (one: string, other: string) => (one < other ? -1 : Number(one > other));
  const sorted = encoded.sort(([name, value], [next, other]) => compare(name, next) || compare(value, other));
  return sorted.map(([name, value]) => `${name}=${value}`).join('&');
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
  sign(
    { method, path, query, headers, body }: RequestParts,
    credentials: Credentials,
    now: Date,
  ): Record<string, string> {
    // 2026-11-30T12:34:56.789Z → 20261130T123456Z
    const time = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const day = time.slice(0, 8);
    const signed: Record<string, string> = { ...headers, 'x-amz-date': time };
    if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken;
    const names = Object.keys(signed).sort();
    const list = names.join(';');
    const canonicalHeaders = names.map((name) => `${name}:${canonicalValue(signed[name])}\n`).join('');
    // The path is encoded once more than it is sent. S3 alone wants it as it is.
    const canonicalPath = path === '/' ? path : path.split('/').map(percentEncoded).join('/');
    const canonicalRequest = `${method}\n${canonicalPath}\n${query}\n${canonicalHeaders}\n${list}\n${sha256(body)}`;
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

function canonicalValue(value = ''): string {
  return value.trim().replaceAll(/ +/g, ' ');
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
