import { randomBytes } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../../../clock.ts';
import { escapeXml } from '../../../xml.ts';
import type { S3 } from '../api.ts';
import { s3Error } from '../errors.ts';
import type { S3Caller, S3Input } from '../operations/input.ts';
import { type CorsRule, corsHeaders } from '../settings/cors.ts';
import { readAddress } from './address.ts';
import { readPostedObject } from './post-object.ts';
import { readBody, readRequest, type S3Request } from './request.ts';
import { writeError, writeOutput } from './response.ts';
import { checkPresigned, isPresigned, type SecretOf } from './signature.ts';

export interface S3HandlerOptions {
  s3: S3;
  clock: Clock;
  /** The secrets that presigned URLs and forms are checked by; none unless given. */
  secretOf?: SecretOf;
  /** Throws AwsError when the caller may not call the operation. Called before the body is read, but for DeleteObjects. */
  authorize?: (call: { operation: string; input: S3Input; accessKeyId: string | undefined }) => void;
  /** Who an access key is of, as notifications name the caller. */
  principalOf?: (accessKeyId: string) => string | undefined;
}

/**
 * Answers the requests of S3's REST API.
 *
 * @returns a function that answers one request; it resolves when the answer has been written, whatever it is
 * @example createServer(createS3Handler({ s3, clock: systemClock }));
 */
export function createS3Handler(
  options: S3HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { s3, clock, secretOf = () => undefined } = options;

  const answer = async (request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> => {
    const { method = 'GET', headers } = request;
    if (method === 'OPTIONS') return answerPreflight(s3, request, response);
    const read = readRequest(request);
    const further = corsOf(s3, request, read.input.Bucket);
    const caller: S3Caller = { requestId, sourceIp: request.socket.remoteAddress ?? '127.0.0.1' };
    const call = async (
      { operation, input }: S3Request,
      accessKeyId: string | undefined,
      body: () => Promise<S3Input>,
    ) => {
      // Which objects are to be deleted is in the body; everything else is known before it is read.
      const isInBody = operation === 'DeleteObjects';
      if (!isInBody) options.authorize?.({ operation, input, accessKeyId });
      const complete = await body();
      if (isInBody) options.authorize?.({ operation, input: complete, accessKeyId });
      const principalId = accessKeyId === undefined ? undefined : options.principalOf?.(accessKeyId);
      const known = accessKeyId === undefined ? {} : { accountId: s3.accountId };
      return s3.call(operation, complete, {
        ...caller,
        ...known,
        ...(principalId !== undefined && { principalId }),
      });
    };
    if (read.operation === 'PostObject') {
      const bucket = read.input.Bucket ?? '';
      const { input, accessKeyId, answer } = await readPostedObject(request, bucket, { secretOf, now: clock.now() });
      const output = await call({ ...read, input }, accessKeyId, async () => input);
      answerForm(response, { bucket, key: input.Key ?? '', etag: String(output.ETag) }, answer, further);
      return;
    }
    const presigned = isPresigned(read.address.query);
    const accessKeyId = presigned
      ? checkPresigned({ method, headers, address: read.address }, { secretOf, now: clock.now() }).accessKeyId
      : /Credential=([^/,\s]+)/.exec(headers.authorization ?? '')?.[1];
    const output = await call(read, accessKeyId, () => readBody(read, request));
    await writeOutput(response, read.operation, output, further);
  };

  return async (request, response) => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('x-amz-id-2', randomBytes(32).toString('base64'));
    try {
      await answer(request, response, requestId);
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { method = 'GET', url = '/' } = request;
      const bucket = tryAddress(request)?.bucket;
      // A body that is still on its way would be taken for the next request.
      const headers = { ...corsOf(s3, request, bucket), ...(!request.complete && { connection: 'close' }) };
      writeError(response, error, { method, resource: url.split('?')[0] ?? '/', requestId, headers });
      request.resume();
    }
  };
}

function tryAddress({ headers, url = '/' }: IncomingMessage): { bucket: string | undefined } | undefined {
  try {
    return readAddress(headers.host, url);
  } catch {
    return undefined;
  }
}

function rulesOf(s3: S3, bucket: string | undefined): readonly CorsRule[] {
  return bucket === undefined
    ? []
    : (s3.store.buckets.setting<{ CORSRules: CorsRule[] }>(bucket, 'cors')?.CORSRules ?? []);
}

/** The headers by which a web page may read the answer. */
function corsOf(
  s3: S3,
  { headers: { origin }, method = 'GET' }: IncomingMessage,
  bucket: string | undefined,
): OutgoingHttpHeaders {
  return origin === undefined ? {} : (corsHeaders(rulesOf(s3, bucket), { origin, method }) ?? {});
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
function answerPreflight(s3: S3, request: IncomingMessage, response: ServerResponse): void {
  const {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': names = '',
  } = request.headers;
  const { bucket } = readAddress(request.headers.host, request.url ?? '/');
  if (origin === undefined || method === undefined) {
    throw s3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  const requested = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const rules = rulesOf(s3, bucket);
  const headers = corsHeaders(rules, { origin, method, requested });
  if (headers) {
    response.writeHead(200, { ...headers, 'content-length': 0 }).end();
    return;
  }
  const reason = rules.length === 0 ? 'CORS is not enabled for this bucket.' : 'This CORS request is not allowed.';
  throw s3Error('AccessForbidden', `CORSResponse: ${reason}`, { Method: method, ResourceType: 'OBJECT' });
}

function answerForm(
  response: ServerResponse,
  { bucket, key, etag }: { bucket: string; key: string; etag: string },
  { status, redirect }: { status: number; redirect: string | undefined },
  further: OutgoingHttpHeaders,
): void {
  const headers = { ...further, etag };
  if (redirect !== undefined) {
    const location = new URL(redirect);
    for (const [name, value] of Object.entries({ bucket, key, etag })) location.searchParams.set(name, value);
    response.writeHead(303, { ...headers, location: location.href, 'content-length': 0 }).end();
    return;
  }
  if (status !== 201) {
    response.writeHead(status, status === 204 ? headers : { ...headers, 'content-length': 0 }).end();
    return;
  }
  const elements = { Location: `/${bucket}/${encodeURIComponent(key)}`, Bucket: bucket, Key: key, ETag: etag };
  const content = Object.entries(elements).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${content.join('')}</PostResponse>`;
  response
    .writeHead(201, { ...headers, 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
