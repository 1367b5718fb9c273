import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest } from '../../../core/http-message.ts';
import type { ReadRequest } from '../../../core/service.ts';
import { expectedChecksum } from '../content/checksums.ts';
import { collect } from '../content/receive.ts';
import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { S3Input } from '../operations/input.ts';
import { type Address, readAddress } from './address.ts';
import { readBindings } from './bindings.ts';
import { bytesOf } from './body-bytes.ts';
import { ChunkedBody } from './chunked-body.ts';
import { readPostedObject } from './post-object.ts';
import { requestDocuments } from './request-documents.ts';
import { operationOf } from './routes.ts';
import { checkPresigned, hasOldSignature, isPresigned, type SignatureCheck } from './signature.ts';
import { readDocument } from './xml-shape.ts';

/** A request with its operation, before its body has been read. */
interface RequestHead {
  operation: string;
  input: S3Input;
  address: Address;
}

/** Operations whose content is the body of the request. */
const withContent = new Set(['PutObject', 'UploadPart']);
/** Parameters of a presigned URL that are about its signature. */
const ofSignature =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|user-agent)$/i;

/**
 * Reads what a request asks for: all but the content of an object, which is a stream still to be read.
 *
 * @throws S3Error where it is not a valid request of S3, or where its signature in the URL or in a form is not valid
 */
export async function readS3Request(request: HttpRequest, check: SignatureCheck): Promise<ReadRequest> {
  const { method, headers } = request;
  if (hasOldSignature(request)) {
    const message = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
    throw s3Error('InvalidRequest', message);
  }
  const head = readHead(request);
  const { operation, input, address } = head;
  if (operation === 'PostObject') return readPostedObject(request, input.Bucket ?? '', check);
  const accessKeyId = isPresigned(address.query)
    ? checkPresigned({ method, headers, address }, check).accessKeyId
    : undefined;
  return { operation, input: await readBody(head, request), accessKeyId };
}

function readHead({ method, target, headers }: HttpRequest): RequestHead {
  const address = readAddress(headers.host, target);
  const { bucket, key, query } = address;
  const merged = withHeadersOfQuery(headers, query);
  const isCopy = merged['x-amz-copy-source'] !== undefined;
  const operation = operationOf({ method, bucket, key, query, isCopy });
  const input = readBindings(merged, query);
  if (bucket !== undefined) input.Bucket = bucket;
  if (key !== undefined) input.Key = key;
  const encodings = encodingsOf(merged).filter((encoding) => encoding !== 'aws-chunked');
  if (encodings.length > 0) input.ContentEncoding = encodings.join(',');
  if (withContent.has(operation)) readContentHeaders(input, merged);
  return { operation, input, address };
}

/** Presigned URLs have in their query what would otherwise be headers. */
function withHeadersOfQuery(headers: IncomingHttpHeaders, query: URLSearchParams): IncomingHttpHeaders {
  const moved = [...query].filter(([name]) => /^x-amz-/i.test(name) && !ofSignature.test(name));
  return { ...Object.fromEntries(moved.map(([name, value]) => [name.toLowerCase(), value])), ...headers };
}

function encodingsOf({ 'content-encoding': encoding = '' }: IncomingHttpHeaders): string[] {
  return encoding
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

function readContentHeaders(input: S3Input, headers: IncomingHttpHeaders): void {
  const length = headers['x-amz-decoded-content-length'] ?? headers['content-length'];
  if (length === undefined && headers['transfer-encoding'] === undefined) {
    throw s3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (length !== undefined) {
    if (!/^\d{1,15}$/.test(String(length))) throw s3Error('InvalidArgument', 'The content length is not a number');
    input.ContentLength = Number(length);
  }
  const sha256 = headers['x-amz-content-sha256'];
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)) input.ContentSHA256 = sha256.toLowerCase();
  const trailer = /x-amz-checksum-([a-z0-9]+)/i.exec(String(headers['x-amz-trailer'] ?? ''))?.[1];
  if (trailer !== undefined) input.ChecksumAlgorithm = trailer.toUpperCase();
}

/** A content as a stream, and a document as a whole. */
async function readBody({ operation, input }: RequestHead, request: HttpRequest): Promise<S3Input> {
  if (withContent.has(operation)) return { ...input, Body: contentOf(request) };
  const document = Object.hasOwn(requestDocuments, operation) ? requestDocuments[operation] : undefined;
  if (!document && operation !== 'PutBucketPolicy') return input;
  if (operation === 'DeleteObjects' && input.ContentMD5 === undefined && !hasChecksum(input, request.headers)) {
    throw s3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  // For a completed upload these headers have the checksum of the object, not of the document.
  const checksum = operation === 'CompleteMultipartUpload' ? undefined : expectedChecksum(input);
  const bytes = await collect(contentOf(request), { contentMd5: input.ContentMD5, checksum }, s3Limits.documentBytes);
  const text = bytes.toString();
  if (!document) return { ...input, Policy: text };
  if (text === '' && !document.required) return input;
  return { ...input, [document.member]: readDocument(document, text) };
}

function hasChecksum(input: S3Input, headers: IncomingHttpHeaders): boolean {
  return expectedChecksum(input)?.value !== undefined || headers['x-amz-trailer'] !== undefined;
}

function contentOf(request: HttpRequest): AsyncIterable<Uint8Array> {
  const { headers } = request;
  const isChunked =
    encodingsOf(headers).includes('aws-chunked') || String(headers['x-amz-content-sha256']).startsWith('STREAMING-');
  const decodedLength = Number(headers['x-amz-decoded-content-length']);
  if (!isChunked) return bytesOf(request);
  if (!Number.isSafeInteger(decodedLength)) {
    throw s3Error('MissingContentLength', 'You must provide the x-amz-decoded-content-length HTTP header.');
  }
  return new ChunkedBody(bytesOf(request), decodedLength);
}
