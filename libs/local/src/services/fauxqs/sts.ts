import type { AwsService } from '../../core/service.ts';
import { forward } from './forward.ts';
import { fauxqs } from './index.ts';

/** STS, which says who is calling. */
export const sts: AwsService<undefined> = {
  name: 'sts',
  protocols: ['query'],
  resourceTypes: {},
  // Everybody may ask who they are, and STS can do nothing else here.
  access: () => [],
  async start(host) {
    const backend = host.handleOf(fauxqs);
    return {
      handle: undefined,
      api: ({ request }) => forward(backend, request),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
