import { stableUuid } from '@millrace/cloudformation';
import type { Host, ResourceType } from '../../core/service.ts';
import { glue } from '../glue/index.ts';
import { invalid, type WorkGroups } from './work-groups.ts';

export const athenaResourceTypes: Readonly<Record<string, ResourceType<WorkGroups>>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-workgroup.html */
  'AWS::Athena::WorkGroup': {
    nameProperty: 'Name',
    attributes: { CreationTime: () => '1970-01-01T00:00:00Z' },
    properties: ['Name', 'Description', 'State', 'Tags', 'RecursiveDeleteOption', 'WorkGroupConfiguration'],
    create: async ({ properties, name }, groups) => groups.addWorkGroup({ ...properties, Name: name }),
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-namedquery.html */
  'AWS::Athena::NamedQuery': {
    ref: stableUuid,
    attributes: { NamedQueryId: stableUuid },
    properties: ['Name', 'Description', 'Database', 'QueryString', 'WorkGroup'],
    create: async ({ stack, logicalId, name, properties }, groups, host) => {
      checkDatabase(String(properties.Database), host);
      groups.addQuery(stack.attribute(logicalId, 'NamedQueryId'), { Name: name, ...properties });
    },
  },
};

/** Athena takes a query for any database, and fails when it runs. */
function checkDatabase(name: string, host: Host): void {
  if (!host.handleOf(glue).hasDatabase(name))
    throw invalid(`Database ${name} does not exist: no query could run in it`);
}
