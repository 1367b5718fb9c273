import type { HttpRequest } from '../../../core/http-message.ts';
import type { ReadRequest } from '../../../core/service.ts';
import { s3Error } from '../errors.ts';
import { readBindings } from './bindings.ts';
import { bytesOf } from './body-bytes.ts';
import { readForm } from './form-data.ts';
import { checkPostPolicy } from './post-policy.ts';
import { requestDocuments } from './request-documents.ts';
import type { SignatureCheck } from './signature.ts';
import { readDocument, type Structure } from './xml-shape.ts';

/** How a form wants to be answered. */
export interface FormAnswer {
  status: number;
  redirect: string | undefined;
}

/**
 * Reads a form with a file for a bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 *
 * @throws S3Error AccessDenied and others of the policy; EntityTooLarge, EntityTooSmall when the file is read
 */
export async function readPostedObject(
  request: Pick<HttpRequest, 'content' | 'headers'>,
  bucket: string,
  check: SignatureCheck,
): Promise<ReadRequest> {
  const form = await readForm(bytesOf(request), request.headers['content-type'] ?? '');
  const fields = new Map([...form.fields, ['bucket', bucket]]);
  const policy = checkPostPolicy(fields, check);
  const key = form.fields.get('key') ?? '';
  const input = readBindings(Object.fromEntries(form.fields), new URLSearchParams());
  input.Bucket = bucket;
  input.Key = key.replace(/\$\{filename\}/g, () => form.fileName);
  input.Body = policy?.size ? withSize(form.file, policy.size) : form.file;
  const acl = form.fields.get('acl');
  if (acl !== undefined) input.ACL = acl;
  const tagging = form.fields.get('tagging');
  if (tagging !== undefined) input.Tagging = readTagging(tagging);
  const redirect = form.fields.get('success_action_redirect') ?? form.fields.get('redirect');
  const status = Number(form.fields.get('success_action_status'));
  input.FormAnswer = {
    status: status === 200 || status === 201 ? status : 204,
    redirect: isUrl(redirect) ? redirect : undefined,
  } satisfies FormAnswer;
  return { operation: 'PostObject', input, accessKeyId: policy?.accessKeyId };
}

function readTagging(text: string): Structure {
  return readDocument(requestDocuments.PutObjectTagging as NonNullable<(typeof requestDocuments)[string]>, text);
}

function isUrl(text: string | undefined): boolean {
  return text !== undefined && /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

async function* withSize(
  file: AsyncIterable<Uint8Array>,
  { minimum, maximum }: { minimum: number; maximum: number },
): AsyncIterable<Uint8Array> {
  let size = 0;
  const details = (): Record<string, string> => ({
    ProposedSize: String(size),
    MinSizeAllowed: String(minimum),
    MaxSizeAllowed: String(maximum),
  });
  for await (const chunk of file) {
    size += chunk.length;
    if (size > maximum)
      throw s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', details());
    yield chunk;
  }
  if (size < minimum)
    throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', details());
}
