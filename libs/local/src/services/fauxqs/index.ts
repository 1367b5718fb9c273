import type { AwsService } from '../../core/service.ts';
import { sqs } from '../sqs/index.ts';
import { type Fauxqs, startFauxqs } from './fauxqs.ts';

/** What answers for SNS, S3 and STS. It is not addressed itself. */
export const fauxqs: AwsService<Fauxqs> = {
  name: 'fauxqs',
  resourceTypes: {},
  access: () => undefined,
  async start({ region, dataDirectory, handleOf, warn }) {
    const handle = await startFauxqs({ sqs: handleOf(sqs), region, dataDirectory, onWarning: warn });
    return { handle, [Symbol.asyncDispose]: handle.stop };
  },
};
