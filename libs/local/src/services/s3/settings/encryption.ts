import { s3Error } from '../errors.ts';
import type { Structure } from '../protocol/xml-shape.ts';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
 * @throws S3Error MalformedXML or InvalidArgument
 */
export function checkEncryption({ Rules = [] }: Structure): void {
  const [rule, ...others] = Rules as { ApplyServerSideEncryptionByDefault?: Record<string, string> }[];
  if (!rule || others.length > 0) throw s3Error('MalformedXML', 'An encryption configuration must have one rule.');
  const { SSEAlgorithm = '', KMSMasterKeyID } = rule.ApplyServerSideEncryptionByDefault ?? { SSEAlgorithm: 'AES256' };
  if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(SSEAlgorithm)) {
    throw s3Error('MalformedXML', 'The SSEAlgorithm must be AES256, aws:kms or aws:kms:dsse.');
  }
  if (SSEAlgorithm === 'AES256' && KMSMasterKeyID !== undefined) {
    throw s3Error(
      'InvalidArgument',
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
    );
  }
}
