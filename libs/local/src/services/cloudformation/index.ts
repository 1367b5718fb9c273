import type { Stack } from '@millrace/cloudformation';
import type { AwsService } from '../../core/service.ts';
import { answerCloudFormation } from './api.ts';

/** The part of CloudFormation that tells what is deployed. */
export const cloudFormation: AwsService<undefined> = {
  name: 'cloudformation',
  protocols: ['query'],
  resourceTypes: {},
  // For deployments only: functions have nothing to ask there.
  access: () => undefined,
  async start() {
    let deployed: readonly Stack[] = [];
    return {
      handle: undefined,
      api: ({ operation, input }) => answerCloudFormation(deployed, operation, input),
      activate: (stacks) => {
        deployed = stacks;
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
