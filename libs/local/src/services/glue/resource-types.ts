import type { ResourceIdentity } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import type { ResourceType } from '../../core/service.ts';
import type { Catalog } from './catalog.ts';

/** The name within a property, or one that CloudFormation would have made up: the catalog has lower case alone. */
const nameIn = (property: unknown, name: string): string =>
  String((property as Input | undefined)?.Name ?? name).toLowerCase();
const refOf =
  (property: string) =>
  (resource: ResourceIdentity): string =>
    nameIn(resource.property(property), resource.name);

export const glueResourceTypes: Readonly<Record<string, ResourceType<Catalog>>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-database.html */
  'AWS::Glue::Database': {
    ref: refOf('DatabaseInput'),
    attributes: {},
    properties: ['CatalogId', 'DatabaseInput'],
    create: async ({ name, properties: { DatabaseInput } }, catalog) =>
      catalog.addDatabase({ ...(DatabaseInput as Input), Name: nameIn(DatabaseInput, name) }),
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-table.html */
  'AWS::Glue::Table': {
    ref: refOf('TableInput'),
    attributes: {},
    properties: ['CatalogId', 'DatabaseName', 'TableInput'],
    create: async ({ name, properties: { DatabaseName, TableInput } }, catalog) =>
      catalog.addTable(String(DatabaseName), { ...(TableInput as Input), Name: nameIn(TableInput, name) }),
  },
};
