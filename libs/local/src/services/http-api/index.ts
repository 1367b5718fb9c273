import type { AwsService } from '../../core/service.ts';
import { issuer } from '../issuer/index.ts';
import { lambda } from '../lambda/index.ts';
import { httpApiDifferences } from './differences.ts';
import { type HttpApi, startHttpApi } from './http-api.ts';
import { httpResourcesOf } from './http-resources.ts';
import { httpApiResourceTypes } from './resource-types.ts';
import { countHttpRequest } from './usage.ts';

/** Where the HTTP APIs answer. */
export interface LocalHttpApi {
  /** Known once the service is active. */
  readonly url: string;
}

/** The HTTP APIs of API Gateway, on a port of their own. Its own API is not here. */
export const httpApi: AwsService<LocalHttpApi> = {
  name: 'apigateway',
  differences: httpApiDifferences,
  resourceTypes: httpApiResourceTypes,
  access: () => undefined,
  meters: {
    'httpApi.requests': 'requests, each 512 KB is one [function behind the route]',
    'httpApi.bytesOut': 'bytes of answers [function behind the route]',
  },
  async start({ accountId, clock, options, usage, handleOf, releaseApiPort, warn }) {
    let api: HttpApi | undefined;
    return {
      handle: {
        get url() {
          return api?.url ?? '';
        },
      },
      activate: async (stacks) => {
        await releaseApiPort();
        api = await startHttpApi({
          port: options.apiPort,
          accountId,
          now: () => clock.now(),
          services: stacks.map((stack) => ({ name: stack.name, resources: httpResourcesOf(stack) })),
          verificationKeys: handleOf(issuer).keys,
          invoke: async (functionArn, payload, traced) => {
            const { name, result } = await handleOf(lambda).invoke(functionArn, payload, traced);
            if (usage) countHttpRequest(usage, name, payload, result.payload);
            return result;
          },
          onWarning: warn,
        });
      },
      [Symbol.asyncDispose]: async () => api?.stop(),
    };
  },
};
