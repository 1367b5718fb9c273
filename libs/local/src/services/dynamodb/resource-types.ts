import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import type { LocalDynamoDb } from './local-dynamodb.ts';
import { createTable, TABLE_PROPERTIES } from './tables.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_DynamoDB.html */
export const dynamoDbResourceTypes: Readonly<Record<string, ResourceType<LocalDynamoDb>>> = {
  'AWS::DynamoDB::Table': {
    nameProperty: 'TableName',
    attributes: { Arn: arnOf('dynamodb', (r) => `table/${r.name}`) },
    attributesAfterCreation: { StreamArn: arnOf('dynamodb', (r) => `table/${r.name}/stream/not-created-yet`) },
    properties: TABLE_PROPERTIES,
    create: async ({ name, properties }, dynamodb) => {
      const { streamArn } = await createTable((operation, input) => dynamodb.call(operation, input), name, properties);
      return streamArn === undefined ? undefined : { StreamArn: streamArn };
    },
  },
};
