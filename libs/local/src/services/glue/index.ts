import { type AwsService, apiOf } from '../../core/service.ts';
import { glueAccess } from './access.ts';
import { Catalog } from './catalog.ts';
import { glueDifferences } from './differences.ts';
import { glueResourceTypes } from './resource-types.ts';

/** The Data Catalog of AWS Glue. https://docs.aws.amazon.com/glue/latest/dg/catalog-and-crawler.html */
export const glue: AwsService<Catalog> = {
  name: 'glue',
  differences: glueDifferences,
  protocols: ['json'],
  targets: ['AWSGlue'],
  resourceTypes: glueResourceTypes,
  access: glueAccess,
  async start({ clock, accountId }) {
    const catalog = new Catalog({ clock, accountId });
    return {
      handle: catalog,
      api: apiOf('Glue', catalog.operations),
      console: () => ({ tables: catalog.summary() }),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
