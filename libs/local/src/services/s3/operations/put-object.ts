import { expectedChecksum } from '../content/checksums.ts';
import { receive } from '../content/receive.ts';
import { checksumOutput, encryptionOutput, readAttributes, refuseUnsupported } from './attributes.ts';
import { checkWriteConditions } from './conditions.ts';
import { compact, keyOf, quoted, type S3Context } from './context.ts';
import type { S3Caller, S3Input, S3Operation, S3Output } from './input.ts';
import { readTags } from './tags.ts';
import { writeObject } from './write-object.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export function putOperations(context: S3Context): Record<'PutObject' | 'PostObject', S3Operation> {
  return {
    PutObject: (input, caller) => putObject(context, input, caller, 'ObjectCreated:Put'),
    /** A form that a browser sends. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
    PostObject: (input, caller) => putObject(context, input, caller, 'ObjectCreated:Post'),
  };
}

async function putObject(
  context: S3Context,
  input: S3Input,
  caller: S3Caller,
  event: 'ObjectCreated:Put' | 'ObjectCreated:Post',
): Promise<S3Output> {
  const { store } = context;
  const { name: bucket } = context.bucket(input);
  const key = keyOf(input);
  refuseUnsupported(input);
  const tags = readTags(input.Tagging);
  const attributes = readAttributes(input, bucket, context);
  const latest = store.versions.latest(bucket, key);
  // Checked before the content is read as well, so that a write that cannot succeed ends early.
  checkWriteConditions(input, key, latest?.deleteMarker ? undefined : latest);
  const { blob, size, md5, checksum } = await receive(store, input.Body, {
    contentLength: input.ContentLength,
    contentMd5: input.ContentMD5,
    contentSha256: input.ContentSHA256,
    checksum: expectedChecksum(input),
  });
  attributes.Checksum = { ...checksum, type: 'FULL_OBJECT' };
  const chunks = [{ blob, size }];
  const operation = event === 'ObjectCreated:Put' ? 'PutObject' : 'POST Object';
  try {
    const object = { bucket, key, chunks, size, etag: md5, attributes, tags, event, operation };
    const { versionId } = writeObject(context, input, caller, object);
    return compact({
      ETag: quoted(md5),
      VersionId: versionId,
      ...encryptionOutput(attributes),
      ...checksumOutput(attributes),
    });
  } catch (error) {
    store.contents.release(chunks);
    throw error;
  }
}
