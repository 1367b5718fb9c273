import type { MemberConstraint, MemberConstraints } from '../member-constraints.ts';

const string = { type: 'string' } as const;
const number = { type: 'number' } as const;
const boolean = { type: 'boolean' } as const;
const structure = { type: 'structure' } as const;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html and the others of its kind */
export const capacityMembers: MemberConstraints = {
  ReturnConsumedCapacity: { ...string, values: ['INDEXES', 'TOTAL', 'NONE'] },
  ReturnItemCollectionMetrics: { ...string, values: ['SIZE', 'NONE'] },
};

const expressionMembers: MemberConstraints = {
  ConditionExpression: string,
  FilterExpression: string,
  KeyConditionExpression: string,
  ProjectionExpression: string,
  UpdateExpression: string,
  ExpressionAttributeNames: structure,
  ExpressionAttributeValues: structure,
};

export const readMembers: MemberConstraints = {
  ...capacityMembers,
  ...expressionMembers,
  Key: { ...structure, required: true },
  ConsistentRead: boolean,
};

export const writeMembers: MemberConstraints = {
  ...capacityMembers,
  ...expressionMembers,
  ReturnValues: { ...string, values: ['ALL_NEW', 'UPDATED_OLD', 'ALL_OLD', 'NONE', 'UPDATED_NEW'] },
  ReturnValuesOnConditionCheckFailure: { ...string, values: ['ALL_OLD', 'NONE'] },
};

export const pageMembers: MemberConstraints = {
  ...capacityMembers,
  ...expressionMembers,
  Select: { ...string, values: ['SPECIFIC_ATTRIBUTES', 'COUNT', 'ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES'] },
  Limit: number,
  ConsistentRead: boolean,
  ExclusiveStartKey: structure,
  IndexName: { ...string, length: [3, 255], pattern: /^[a-zA-Z0-9_.-]+$/ },
  Segment: { ...number, range: [0, 999_999] },
  TotalSegments: { ...number, range: [1, 1_000_000] },
  ScanIndexForward: boolean,
};

const throughput: MemberConstraint = {
  ...structure,
  members: {
    ReadCapacityUnits: { ...number, required: true, range: [1, Number.MAX_SAFE_INTEGER] },
    WriteCapacityUnits: { ...number, required: true, range: [1, Number.MAX_SAFE_INTEGER] },
  },
};

const keySchema: MemberConstraint = {
  type: 'list',
  length: [1, 2],
  each: {
    ...structure,
    members: {
      AttributeName: { ...string, required: true, length: [1, 255] },
      KeyType: { ...string, required: true, values: ['HASH', 'RANGE'] },
    },
  },
};

const indexName: MemberConstraint = {
  ...string,
  required: true,
  length: [3, 255],
  pattern: /^[a-zA-Z0-9_.-]+$/,
};

const index: MemberConstraints = {
  IndexName: indexName,
  KeySchema: { ...keySchema, required: true },
  Projection: {
    ...structure,
    required: true,
    members: {
      ProjectionType: { ...string, values: ['ALL', 'KEYS_ONLY', 'INCLUDE'] },
      NonKeyAttributes: { type: 'list', length: [1, 20], each: { ...string, length: [1, 255] } },
    },
  },
  ProvisionedThroughput: throughput,
};

/** What CreateTable and UpdateTable have in common. */
const tableMembers: MemberConstraints = {
  AttributeDefinitions: {
    type: 'list',
    each: {
      ...structure,
      members: {
        AttributeName: { ...string, required: true, length: [1, 255] },
        AttributeType: { ...string, required: true, values: ['B', 'N', 'S'] },
      },
    },
  },
  BillingMode: { ...string, values: ['PROVISIONED', 'PAY_PER_REQUEST'] },
  ProvisionedThroughput: throughput,
  StreamSpecification: {
    ...structure,
    members: {
      StreamEnabled: { ...boolean, required: true },
      StreamViewType: { ...string, values: ['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY'] },
    },
  },
  TableClass: { ...string, values: ['STANDARD', 'STANDARD_INFREQUENT_ACCESS'] },
  DeletionProtectionEnabled: boolean,
};

export const tagMembers: MemberConstraint = {
  type: 'list',
  each: {
    ...structure,
    members: {
      Key: { ...string, required: true, length: [1, 128] },
      Value: { ...string, required: true, length: [0, 256] },
    },
  },
};

export const createTableMembers: MemberConstraints = {
  ...tableMembers,
  AttributeDefinitions: { ...tableMembers.AttributeDefinitions, required: true },
  KeySchema: { ...keySchema, required: true },
  LocalSecondaryIndexes: { type: 'list', each: { ...structure, members: index } },
  GlobalSecondaryIndexes: { type: 'list', each: { ...structure, members: index } },
  Tags: tagMembers,
};

export const updateTableMembers: MemberConstraints = {
  ...tableMembers,
  GlobalSecondaryIndexUpdates: {
    type: 'list',
    each: {
      ...structure,
      members: {
        Create: { ...structure, members: index },
        Update: {
          ...structure,
          members: { IndexName: indexName, ProvisionedThroughput: { ...throughput, required: true } },
        },
        Delete: { ...structure, members: { IndexName: indexName } },
      },
    },
  },
};

export const timeToLiveMembers: MemberConstraints = {
  TimeToLiveSpecification: {
    ...structure,
    required: true,
    members: {
      Enabled: { ...boolean, required: true },
      AttributeName: { ...string, required: true, length: [1, 255] },
    },
  },
};

export const streamMembers: MemberConstraints = {
  StreamArn: { ...string, required: true, length: [37, 1024] },
  Limit: { ...number, range: [1, 100] },
  ExclusiveStartShardId: { ...string, length: [28, 65] },
};

export const shardIteratorMembers: MemberConstraints = {
  StreamArn: { ...string, required: true, length: [37, 1024] },
  ShardId: { ...string, required: true, length: [28, 65] },
  ShardIteratorType: {
    ...string,
    required: true,
    values: ['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'],
  },
  SequenceNumber: { ...string, length: [21, 40] },
};

export const recordsMembers: MemberConstraints = {
  ShardIterator: { ...string, required: true, length: [1, 2048] },
  Limit: { ...number, range: [1, 1000] },
};
