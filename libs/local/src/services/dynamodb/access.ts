import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

/** Operations on one table, or on one of its indexes, that are actions of the same name. */
const onTable = new Set([
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'],
  ...['CreateTable', 'DescribeTable', 'UpdateTable', 'DeleteTable', 'DescribeTimeToLive', 'UpdateTimeToLive'],
]);

const transactionActions: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/**
 * A transaction needs permission for each of its items, as if it stood alone. The iterator of GetRecords does not tell its
 * stream here, so who reads streams is checked at the event source mappings only.
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
      return [access(operation, '*')];
    case 'DescribeStream':
    case 'GetShardIterator':
      return [access(operation, String(input.StreamArn ?? '*'))];
    default:
      return undefined;
  }
}
