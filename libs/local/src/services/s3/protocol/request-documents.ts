import { settingDocuments } from './setting-documents.ts';
import {
  checksums,
  flag,
  integer,
  listOf,
  member,
  requiredText,
  structure,
  tag,
  text,
  type XmlDocument,
} from './shapes.ts';

/** The documents of requests by operation, and the member of the input that they are. */
export const requestDocuments: Readonly<Record<string, XmlDocument & { member: string; required?: boolean }>> = {
  ...Object.fromEntries(
    Object.entries(settingDocuments).map(([name, document]) => [
      `Put${name}`,
      { ...document, member: document.root, required: true },
    ]),
  ),
  CreateBucket: {
    member: 'CreateBucketConfiguration',
    root: 'CreateBucketConfiguration',
    shape: structure({
      LocationConstraint: text,
      Location: member(structure({ Type: text, Name: text })),
      Bucket: member(structure({ DataRedundancy: text, Type: text })),
      Tags: member({ entries: { element: 'Tag', shape: tag } }),
    }),
  },
  DeleteObjects: {
    member: 'Delete',
    root: 'Delete',
    required: true,
    shape: structure({
      Objects: listOf(
        'Object',
        structure({ Key: requiredText, VersionId: text, ETag: text, LastModifiedTime: text, Size: integer }),
      ),
      Quiet: flag,
    }),
  },
  CompleteMultipartUpload: {
    member: 'MultipartUpload',
    root: 'CompleteMultipartUpload',
    required: true,
    shape: structure({
      Parts: listOf('Part', structure({ ETag: text, PartNumber: { ...integer, required: true }, ...checksums })),
    }),
  },
};
