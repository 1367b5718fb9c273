import { isDeepStrictEqual } from 'node:util';
import type { PackagedService } from '@millrace/workspace/packaging';

export type Template = PackagedService['template'];
type Resource = NonNullable<Template['Resources']>[string];
type Properties = NonNullable<Resource['Properties']>;

/** A resource whose data a deployment would lose. */
export interface DataLoss {
  /** Logical id. */
  resource: string;
  type: string;
  /** Its physical name, when the template gives it one. */
  name: string | undefined;
  /** What would happen and which property or line causes it. */
  cause: string;
}

/** A type that holds data: the property that names it, and those whose change makes CloudFormation replace it. */
interface DataHolder {
  nameProperty: string;
  /** Each with what it is when it is not set. */
  replacedBy: Readonly<Record<string, unknown>>;
}

/**
 * The properties whose reference page says "Update requires: Replacement".
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
 */
const dataHolders: Readonly<Record<string, DataHolder>> = {
  'AWS::SQS::Queue': { nameProperty: 'QueueName', replacedBy: { QueueName: undefined, FifoQueue: false } },
  'AWS::DynamoDB::Table': {
    nameProperty: 'TableName',
    replacedBy: {
      TableName: undefined,
      KeySchema: undefined,
      LocalSecondaryIndexes: [],
      ImportSourceSpecification: undefined,
    },
  },
  'AWS::Events::Archive': {
    nameProperty: 'ArchiveName',
    replacedBy: { ArchiveName: undefined, SourceArn: undefined },
  },
};

/**
 * Compares what is deployed with what would be, as far as queues, tables and archives are concerned: which of them would
 * be replaced or removed, and why. Property values are compared as they stand in the templates.
 */
export function dataLosses(deployed: Template, next: Template): DataLoss[] {
  return dataHoldersOf(deployed).flatMap(({ id, resource, holder }) => {
    const causes = causesOf(id, resource, holder, next);
    const name = resource.Properties?.[holder.nameProperty];
    return causes.map((cause) => ({
      resource: id,
      type: resource.Type,
      name: typeof name === 'string' ? name : undefined,
      cause,
    }));
  });
}

/** Every queue, table and archive of a template, and whether its data stay when the stack goes. */
export function dataOf(template: Template): Array<{ resource: string; type: string; name: string; stays: boolean }> {
  return dataHoldersOf(template).map(({ id, resource, holder }) => ({
    resource: id,
    type: resource.Type,
    name: String(resource.Properties?.[holder.nameProperty] ?? id),
    stays: resource.DeletionPolicy === 'Retain',
  }));
}

function dataHoldersOf(template: Template) {
  return Object.entries(template.Resources ?? {}).flatMap(([id, resource]) => {
    const holder = dataHolders[resource.Type];
    return holder && isCreated(template, id) ? [{ id, resource, holder }] : [];
  });
}

function causesOf(id: string, before: Resource, holder: DataHolder, next: Template): string[] {
  const after = next.Resources?.[id];
  if (!after)
    return [`is removed: the template has no ${id} any more${afterwards(before)}${newNameOf(before, holder, next)}`];
  if (!isCreated(next, id)) return [`is removed: its condition ${after.Condition} is false now${afterwards(before)}`];
  if (after.Type !== before.Type) return [`is replaced: Type changes from ${before.Type} to ${after.Type}`];
  return [
    ...Object.entries(holder.replacedBy).flatMap(([property, unset]) => {
      const from = before.Properties?.[property] ?? unset;
      const to = after.Properties?.[property] ?? unset;
      return isDeepStrictEqual(from, to) ? [] : [replaced(property, from, to, before)];
    }),
    ...retypedAttributes(before.Properties ?? {}, after.Properties ?? {}).map(([name, from, to]) =>
      replaced(`AttributeDefinitions, ${name}`, from, to, before),
    ),
  ];
}

function replaced(property: string, from: unknown, to: unknown, before: Resource): string {
  const text = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
  const old = before.UpdateReplacePolicy === 'Retain' ? '; the old one stays, outside of the stack' : '';
  return `is replaced: ${property} changes from ${text(from)} to ${text(to)}${old}`;
}

function afterwards({ DeletionPolicy }: Resource): string {
  return DeletionPolicy === 'Retain' ? '; it stays, outside of the stack' : '';
}

/** A new logical id with the old physical name is a renaming, which CloudFormation does not know. */
function newNameOf(before: Resource, { nameProperty }: DataHolder, next: Template): string {
  const name = before.Properties?.[nameProperty];
  const renamed = Object.entries(next.Resources ?? {}).find(
    ([, { Type, Properties }]) =>
      name !== undefined && Type === before.Type && isDeepStrictEqual(Properties?.[nameProperty], name),
  );
  return renamed ? ` (${renamed[0]} has its name: to CloudFormation that is another resource)` : '';
}

/** "Replacement if you edit an existing AttributeDefinition." */
function retypedAttributes(before: Properties, after: Properties): Array<[name: string, from: string, to: string]> {
  const types = (properties: Properties) =>
    new Map(
      ((properties.AttributeDefinitions ?? []) as Array<{ AttributeName: string; AttributeType: string }>).map(
        ({ AttributeName, AttributeType }) => [AttributeName, AttributeType],
      ),
    );
  const next = types(after);
  return [...types(before)].flatMap(([name, from]): Array<[string, string, string]> => {
    const to = next.get(name);
    return to === undefined || to === from ? [] : [[name, from, to]];
  });
}

/** Whether a resource's condition holds. One that depends on more than literals and defaults counts as true. */
function isCreated(template: Template, id: string): boolean {
  const condition = template.Resources?.[id]?.Condition;
  return condition === undefined || evaluate(template.Conditions?.[condition], template) !== false;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html */
function evaluate(expression: unknown, template: Template): boolean | undefined {
  if (typeof expression !== 'object' || expression === null) return undefined;
  const [[name, value] = []] = Object.entries(expression);
  const parts = Array.isArray(value) ? value : [];
  const each = () => parts.map((part) => evaluate(part, template));
  switch (name) {
    case 'Condition':
      return evaluate(template.Conditions?.[String(value)], template);
    case 'Fn::Equals': {
      const [one, other] = parts.map((part) => literal(part, template));
      return one === undefined || other === undefined ? undefined : one === other;
    }
    case 'Fn::Not': {
      const [inner] = each();
      return inner === undefined ? undefined : !inner;
    }
    case 'Fn::And':
      return each().includes(false) ? false : each().includes(undefined) ? undefined : true;
    case 'Fn::Or':
      return each().includes(true) ? true : each().includes(undefined) ? undefined : false;
    default:
      return undefined;
  }
}

/** A text, or the default of a parameter: osls sets no others. */
function literal(value: unknown, { Parameters }: Template): string | undefined {
  if (typeof value === 'string') return value;
  const { Ref } = (value ?? {}) as { Ref?: unknown };
  const fallback = typeof Ref === 'string' ? Parameters?.[Ref]?.Default : undefined;
  return fallback === undefined ? undefined : String(fallback);
}
