import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../../../aws-error.ts';
import { escapeXml } from '../../../xml.ts';
import { S3Error } from '../errors.ts';
import type { S3Output } from '../operations/input.ts';
import type { ObjectBody } from '../store/index.ts';
import { writeHeaders } from './bindings.ts';
import { responseDocuments } from './response-documents.ts';
import { type Structure, writeDocument } from './xml-shape.ts';

/** Answers whose document is a member of the output, and not the output. */
const nestedDocuments: Readonly<Record<string, string>> = {
  CopyObject: 'CopyObjectResult',
  UploadPartCopy: 'CopyPartResult',
};

/** Writes the answer of an operation. */
export async function writeOutput(
  response: ServerResponse,
  operation: string,
  output: S3Output,
  further: OutgoingHttpHeaders,
): Promise<void> {
  const document = documentOf(operation, output);
  const isDeletion = /^(Delete(?!Objects$)|Abort)/.test(operation);
  const status = output.ContentRange !== undefined ? 206 : isDeletion ? 204 : 200;
  const headers = { ...writeHeaders(document?.headerMembers ?? output), ...further };
  if ('Body' in output) {
    const body = output.Body as ObjectBody;
    try {
      response.writeHead(status, headers);
      await pipeline(Readable.from(body, { objectMode: false }), response);
    } finally {
      body[Symbol.dispose]();
    }
    return;
  }
  if (document === undefined) {
    const length = status === 204 || operation === 'HeadObject' ? {} : { 'content-length': 0 };
    response.writeHead(status, { ...length, ...headers }).end();
    return;
  }
  const { contentType, text } = document;
  response
    .writeHead(status, { ...headers, 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
    .end(text);
}

/** The document of an answer, and what of the output is not in it. */
function documentOf(
  operation: string,
  output: S3Output,
): { text: string; contentType: string; headerMembers: S3Output } | undefined {
  if (operation === 'GetBucketPolicy') {
    return { text: String(output.Policy), contentType: 'application/json', headerMembers: {} };
  }
  if (operation === 'GetBucketLocation') {
    const content = escapeXml(String(output.LocationConstraint ?? ''));
    const text = `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</LocationConstraint>`;
    return { text, contentType: 'application/xml', headerMembers: {} };
  }
  const document = Object.hasOwn(responseDocuments, operation) ? responseDocuments[operation] : undefined;
  if (!document) return undefined;
  const nested = nestedDocuments[operation];
  const structure = (nested === undefined ? output : output[nested]) as Structure;
  const isHeader = ([name]: [string, unknown]): boolean =>
    name !== nested && (nested !== undefined || !Object.hasOwn(document.shape.members, name));
  return {
    text: writeDocument(document, structure),
    contentType: 'application/xml',
    headerMembers: Object.fromEntries(Object.entries(output).filter(isHeader)),
  };
}

/**
 * Writes the answer to a request that has failed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function writeError(
  response: ServerResponse,
  error: unknown,
  {
    method,
    resource,
    requestId,
    headers,
  }: { method: string; resource: string; requestId: string; headers: OutgoingHttpHeaders },
): void {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalError', error instanceof Error ? error.message : String(error), 500);
  const { details = {}, headers: ofError = {} } = error instanceof S3Error ? error : {};
  const all = { ...headers, ...ofError };
  if (method === 'HEAD' || known.status === 304) {
    response.writeHead(known.status, all).end();
    return;
  }
  const elements = { Code: known.code, Message: known.message, ...details, Resource: resource, RequestId: requestId };
  const content = Object.entries(elements).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content.join('')}</Error>`;
  response
    .writeHead(known.status, { ...all, 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
