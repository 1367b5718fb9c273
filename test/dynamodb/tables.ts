const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' });
const range = (AttributeName: string) => ({ AttributeName, KeyType: 'RANGE' });
const stream = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' };

/** The tables that the random operations use: a key alone, a key with indexes of both kinds, and binary keys. */
export const tables = [
  {
    TableName: 'plain',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [string('pk')],
    KeySchema: [hash('pk')],
    StreamSpecification: stream,
  },
  {
    TableName: 'indexed',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      string('pk'),
      { AttributeName: 'sk', AttributeType: 'N' },
      string('word'),
      { AttributeName: 'n', AttributeType: 'N' },
    ],
    KeySchema: [hash('pk'), range('sk')],
    LocalSecondaryIndexes: [
      {
        IndexName: 'byWord',
        KeySchema: [hash('pk'), range('word')],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['tags'] },
      },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byN',
        KeySchema: [hash('word'), range('n')],
        Projection: { ProjectionType: 'ALL' },
      },
      {
        IndexName: 'keysOnly',
        KeySchema: [hash('word')],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    StreamSpecification: stream,
  },
  {
    TableName: 'binary',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [string('pk'), { AttributeName: 'sk', AttributeType: 'B' }],
    KeySchema: [hash('pk'), range('sk')],
  },
] as const;

export type TableName = (typeof tables)[number]['TableName'];
