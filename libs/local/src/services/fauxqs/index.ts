import type { AwsService } from '../../core/service.ts';
import { type Fauxqs, startFauxqs } from './fauxqs.ts';

/** What answers for SQS, SNS, S3 and STS. It is not addressed itself. */
export const fauxqs: AwsService<Fauxqs> = {
  name: 'fauxqs',
  resourceTypes: {},
  access: () => undefined,
  async start({ awsUrl, region, dataDirectory }) {
    const handle = await startFauxqs({ awsUrl, region, dataDirectory });
    return { handle, [Symbol.asyncDispose]: handle.stop };
  },
};
