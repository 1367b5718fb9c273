import { notImplemented, s3Error } from '../errors.ts';
import type { Structure } from '../protocol/xml-shape.ts';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
 * @throws S3Error MalformedXML or IllegalVersioningConfigurationException; NotImplemented for MFA delete
 */
export function checkVersioning({ Status, MFADelete }: Structure): void {
  if (MFADelete === 'Enabled') throw notImplemented('PutBucketVersioning with MFA delete');
  if (Status === undefined) {
    throw s3Error('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
  }
  if (Status !== 'Enabled' && Status !== 'Suspended') {
    throw s3Error('MalformedXML', 'The Status must be Enabled or Suspended.');
  }
}
