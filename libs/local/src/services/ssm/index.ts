import { type AwsService, apiOf } from '../../core/service.ts';
import { ssmAccess } from './access.ts';
import { ssmOperations } from './api.ts';
import { ssmDifferences } from './differences.ts';
import { type Parameters, parametersOf, ssmResourceTypes } from './resource-types.ts';

/** Parameter Store, over the parameters that templates declare. */
export const ssm: AwsService<undefined> = {
  name: 'ssm',
  differences: ssmDifferences,
  protocols: ['json'],
  targets: ['AmazonSSM'],
  resourceTypes: ssmResourceTypes,
  access: ssmAccess,
  async start({ accountId, region }) {
    let parameters: Parameters = new Map();
    return {
      handle: undefined,
      api: apiOf(
        'SSM',
        ssmOperations(() => parameters, { accountId, region }),
      ),
      activate: (stacks) => {
        parameters = parametersOf(stacks);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
