import { type AwsService, apiOf } from '../../core/service.ts';
import { athenaAccess } from './access.ts';
import { athenaOperations } from './api.ts';
import { athenaDifferences } from './differences.ts';
import { athenaResourceTypes } from './resource-types.ts';
import { WorkGroups } from './work-groups.ts';

/** Amazon Athena, without its engine. https://docs.aws.amazon.com/athena/latest/ug/what-is.html */
export const athena: AwsService<WorkGroups> = {
  name: 'athena',
  differences: athenaDifferences,
  protocols: ['json'],
  targets: ['AmazonAthena'],
  resourceTypes: athenaResourceTypes,
  access: athenaAccess,
  async start({ clock }) {
    const groups = new WorkGroups(() => clock.now());
    return {
      handle: groups,
      api: apiOf('Athena', athenaOperations(groups)),
      console: () => ({
        queries: groups.all().flatMap(({ Name }) => groups.queriesOf(Name).map((query) => `${Name}: ${query.Name}`)),
      }),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
