import { notImplemented, s3Error } from '../errors.ts';
import type { Structure } from '../protocol/xml-shape.ts';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
 * @throws S3Error MalformedXML; NotImplemented for what would turn ACLs on
 */
export function checkOwnership({ Rules = [] }: Structure): void {
  const [rule, ...others] = Rules as { ObjectOwnership: string }[];
  if (!rule || others.length > 0) throw s3Error('MalformedXML', 'Ownership controls must have one rule.');
  if (rule.ObjectOwnership === 'BucketOwnerEnforced') return;
  if (!['BucketOwnerPreferred', 'ObjectWriter'].includes(rule.ObjectOwnership)) {
    throw s3Error(
      'MalformedXML',
      'The ObjectOwnership must be BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter.',
    );
  }
  throw notImplemented(`PutBucketOwnershipControls with ${rule.ObjectOwnership}, which turns ACLs on,`);
}
