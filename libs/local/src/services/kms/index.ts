import { type AwsService, apiOf } from '../../core/service.ts';
import { kmsAccess } from './access.ts';
import { kmsDifferences } from './differences.ts';
import { Keys } from './keys.ts';
import { kmsResourceTypes } from './resource-types.ts';

/** Key Management Service: message authentication codes (HMAC) with the keys that templates declare. */
export const kms: AwsService<Keys> = {
  name: 'kms',
  differences: kmsDifferences,
  protocols: ['json'],
  targets: ['TrentService'],
  resourceTypes: kmsResourceTypes,
  access: kmsAccess,
  async start(host) {
    const keys = new Keys(host);
    return {
      handle: keys,
      api: apiOf('KMS', keys.operations),
      policyOf: (arn) => keys.policyOf(arn),
      console: () => ({ keys: keys.summary() }),
      [Symbol.asyncDispose]: async () => keys.close(),
    };
  },
};
