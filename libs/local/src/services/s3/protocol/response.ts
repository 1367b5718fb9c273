import { Readable } from 'node:stream';
import { HttpAnswer } from '../../../core/http-message.ts';
import { escapeXml } from '../../../core/xml.ts';
import type { S3Input, S3Output } from '../operations/input.ts';
import type { ObjectBody } from '../store/index.ts';
import { writeHeaders } from './bindings.ts';
import type { FormAnswer } from './post-object.ts';
import { responseDocuments } from './response-documents.ts';
import { type Structure, writeDocument } from './xml-shape.ts';

/** Answers whose document is a member of the output, and not the output. */
const nestedDocuments: Readonly<Record<string, string>> = {
  CopyObject: 'CopyObjectResult',
  UploadPartCopy: 'CopyPartResult',
};

/** The answer of an operation. */
export function answerOf(operation: string, input: S3Input, output: S3Output): HttpAnswer {
  if (operation === 'PostObject') return formAnswer(input, String(output.ETag));
  const document = documentOf(operation, output);
  const isDeletion = /^(Delete(?!Objects$)|Abort)/.test(operation);
  const status = output.ContentRange !== undefined ? 206 : isDeletion ? 204 : 200;
  const headers = writeHeaders(document?.headerMembers ?? output);
  if ('Body' in output) {
    const body = output.Body as ObjectBody;
    const stream = Readable.from(body, { objectMode: false });
    // Also where nothing of it has been read.
    stream.once('close', () => body[Symbol.dispose]());
    return new HttpAnswer(status, headers, stream);
  }
  if (document === undefined) return new HttpAnswer(status, headers, '');
  return new HttpAnswer(status, { ...headers, 'content-type': document.contentType }, document.text);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
function formAnswer({ Bucket = '', Key = '', FormAnswer }: S3Input, etag: string): HttpAnswer {
  const { status, redirect } = FormAnswer as FormAnswer;
  if (redirect !== undefined) {
    const location = new URL(redirect);
    for (const [name, value] of Object.entries({ bucket: Bucket, key: Key, etag })) {
      location.searchParams.set(name, value);
    }
    return new HttpAnswer(303, { etag, location: location.href }, '');
  }
  if (status !== 201) return new HttpAnswer(status, { etag }, '');
  const elements = { Location: `/${Bucket}/${encodeURIComponent(Key)}`, Bucket, Key, ETag: etag };
  const content = Object.entries(elements).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${content.join('')}</PostResponse>`;
  return new HttpAnswer(201, { etag, 'content-type': 'application/xml' }, text);
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
