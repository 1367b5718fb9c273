import { DynamoDbError, resourceNotFound, validationError } from '../dynamodb-error.ts';
import { checkMembers } from '../member-constraints.ts';
import type { Table } from '../table.ts';
import type { EngineState } from './request.ts';
import { tagMembers } from './request-members.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TaggingOperations.html */
const MAX_TAGS = 50;
const PAGE = 10;

type Tag = { Key: string; Value: string };
const resourceArn = { ResourceArn: { type: 'string', required: true, length: [1, 1283] } } as const;

/** @throws DynamoDbError ValidationException */
export function assertTags(tags: readonly Tag[]): void {
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) {
    throw validationError('One or more parameter values were invalid: Duplicate tag keys are not allowed');
  }
  if (tags.some(({ Key }) => Key.toLowerCase().startsWith('aws:'))) {
    throw validationError('One or more parameter values were invalid: Tag keys that begin with aws: are reserved');
  }
  if (tags.length > MAX_TAGS) {
    throw validationError(`One or more parameter values were invalid: Too many tags, the limit is ${MAX_TAGS}`);
  }
}

export function tagsOf(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** TagResource. */
export function tagResource(state: EngineState, input: { ResourceArn?: string; Tags?: Tag[] }): object {
  checkMembers(input, { ...resourceArn, Tags: { ...tagMembers, required: true } });
  const table = taggedTable(state, input.ResourceArn);
  const { Tags = [] } = input;
  if (Tags.length === 0) throw validationError('Atleast one Tag needs to be provided as Input.');
  assertTags(Tags);
  const tags = { ...table.state.tags, ...tagsOf(Tags) };
  assertTags(listed(tags));
  table.change({ tags });
  return {};
}

/** UntagResource. */
export function untagResource(state: EngineState, input: { ResourceArn?: string; TagKeys?: string[] }): object {
  checkMembers(input, { ...resourceArn, TagKeys: { type: 'list', required: true, each: { type: 'string' } } });
  const table = taggedTable(state, input.ResourceArn);
  const { TagKeys = [] } = input;
  if (TagKeys.length === 0) throw validationError('Atleast one Tag Key needs to be provided as Input.');
  table.change({ tags: tagsOf(listed(table.state.tags).filter(({ Key }) => !TagKeys.includes(Key))) });
  return {};
}

/** ListTagsOfResource. */
export function listTagsOfResource(state: EngineState, input: { ResourceArn?: string; NextToken?: string }): object {
  checkMembers(input, { ...resourceArn, NextToken: { type: 'string' } });
  const tags = listed(taggedTable(state, input.ResourceArn, true).state.tags);
  const start = input.NextToken === undefined ? 0 : tags.findIndex(({ Key }) => Key === input.NextToken);
  if (start < 0) throw validationError('Invalid NextToken');
  const next = tags[start + PAGE];
  return { Tags: tags.slice(start, start + PAGE), ...(next && { NextToken: next.Key }) };
}

function listed(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** AWS answers a list of the tags of an unknown table as if it were not allowed. */
function taggedTable({ tables, environment }: EngineState, arn: unknown, listing = false): Table {
  const [, region, account, name = ''] = /^arn:aws:dynamodb:([^:]+):([^:]+):table\/([^/]+)$/.exec(String(arn)) ?? [];
  if (region === undefined) throw validationError(`Invalid TableArn: Invalid ResourceArn provided as input ${arn}`);
  const table = region === environment.region && account === environment.accountId ? tables.get(name) : undefined;
  if (table) return table;
  if (!listing) throw resourceNotFound(`ResourcArn: ${arn} not found`);
  throw new DynamoDbError(
    'AccessDeniedException',
    `User: arn:aws:iam::${environment.accountId}:root is not authorized to perform: dynamodb:ListTagsOfResource on resource: ${arn}`,
  );
}
