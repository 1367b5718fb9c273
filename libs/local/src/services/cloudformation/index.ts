import type { Stack } from '@millrace/cloudformation';
import { awsQuery } from '../../core/protocols/query.ts';
import { type AwsService, apiOf } from '../../core/service.ts';
import { cloudFormationAccess } from './access.ts';
import { cloudFormationApi } from './api.ts';

/** CloudFormation, as far as it tells of stacks. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/Welcome.html */
export const cloudFormation: AwsService<undefined> = {
  name: 'cloudformation',
  protocols: [awsQuery({ namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/' })],
  resourceTypes: {},
  access: cloudFormationAccess,
  refusal: { code: 'AccessDenied', status: 403 },
  async start({ region, accountId, clock }) {
    let deployed: readonly Stack[] = [];
    const stacks = () => deployed;
    const operations = cloudFormationApi({ region, accountId, stacks, createdAt: clock.now() });
    return {
      handle: undefined,
      api: apiOf('CloudFormation', operations),
      activate: (created) => {
        deployed = created;
      },
      console: () => deployed.map((stack) => ({ name: stack.name, resources: stack.resources().length })),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
