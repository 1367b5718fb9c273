import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

/** Operations on one table, or on one of its indexes, that are actions of the same name. */
const onTable = new Set([
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'],
  ...['CreateTable', 'DescribeTable', 'UpdateTable', 'DeleteTable', 'DescribeTimeToLive', 'UpdateTimeToLive'],
  ...['DescribeContinuousBackups', 'UpdateContinuousBackups'],
]);

const transactionActions: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/**
 * A transaction needs permission for each of its items, as if it stood alone.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
export function dynamoDbAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  const table = (nameOrArn: unknown): string => {
    const name = String(nameOrArn ?? '');
    return name.startsWith('arn:') ? name : arn('dynamodb', `table/${name}`);
  };
  const access = (action: string, resource: string): Access => ({ action: `dynamodb:${action}`, resource });

  if (onTable.has(operation)) {
    const { TableName, IndexName } = input;
    const resource = table(TableName);
    return [access(operation, IndexName === undefined ? resource : `${resource}/index/${String(IndexName)}`)];
  }
  switch (operation) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(input.RequestItems ?? {}).map((name) => access(operation, table(name)));
    case 'TransactGetItems':
    case 'TransactWriteItems': {
      const items = Array.isArray(input.TransactItems) ? (input.TransactItems as Record<string, unknown>[]) : [];
      return items.flatMap((item) =>
        Object.entries(item ?? {}).map(([kind, request]) =>
          access(transactionActions[kind] ?? kind, table((request as Input | undefined)?.TableName)),
        ),
      );
    }
    case 'ListTables':
    case 'ListStreams':
    case 'DescribeLimits':
    case 'DescribeEndpoints':
      return [access(operation, '*')];
    case 'TagResource':
    case 'UntagResource':
    case 'ListTagsOfResource':
      return [access(operation, String(input.ResourceArn ?? '*'))];
    case 'DescribeStream':
    case 'GetShardIterator':
      return [access(operation, String(input.StreamArn ?? '*'))];
    case 'GetRecords':
      // An iterator begins with the ARN of its stream.
      return [access(operation, String(input.ShardIterator ?? '*').split('|')[0] ?? '*')];
    default:
      return undefined;
  }
}
