import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import type { AwsService, ResourceType } from '../../core/service.ts';
import type { Fauxqs } from './fauxqs.ts';
import { fauxqs } from './index.ts';
import { s3Access } from './s3-access.ts';

/** Of osls, which uploads packages here when it deploys. Nothing is uploaded on this machine. */
const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html */
const resourceTypes: Readonly<Record<string, ResourceType<Fauxqs>>> = {
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    attributes: {
      Arn: ({ name }) => `arn:aws:s3:::${name}`,
      DomainName: ({ name }) => `${name}.s3.amazonaws.com`,
      RegionalDomainName: ({ name, region }) => `${name}.s3.${region}.amazonaws.com`,
    },
    // Nothing is encrypted, and nothing public, on this machine.
    properties: ['BucketName', 'BucketEncryption', 'PublicAccessBlockConfiguration', 'Tags', 'OwnershipControls'],
    isLeftOut: (logicalId) => logicalId === DEPLOYMENT_BUCKET,
    create: ({ name }, backend) => backend.createBucket(name),
  },
};

/** S3, answered by fauxqs. */
export const s3: AwsService<Fauxqs> = {
  name: 's3',
  protocols: ['restXml'],
  streamsBody: true,
  read: ({ method, url }) => ({
    operation: `${method} ${url.pathname}`,
    input: Object.fromEntries(url.searchParams),
  }),
  resourceTypes,
  access: s3Access,
  refusal: { code: 'AccessDenied', status: 403 },
  async start(host) {
    const backend = host.handleOf(fauxqs);
    return {
      handle: backend,
      api: ({ request: { message, headers } }) => {
        // Fauxqs would read the body of an object of this type as a request to SQS.
        if (/^application\/x-amz-json/i.test(headers['content-type'] ?? '')) {
          throw new AwsError('InvalidRequest', 'An object cannot have a content type of the JSON protocols here');
        }
        return new HttpAnswer(200, {}, (response) => backend.handle(message, response));
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
