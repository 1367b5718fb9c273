import type { AccessOf } from '../../core/access.ts';

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html */
export const glueAccess: AccessOf = (operation, { Name, DatabaseName, TableName }, arn) => {
  const on = (...resources: string[]) =>
    ['catalog', ...resources].map((resource) => ({ action: `glue:${operation}`, resource: arn('glue', resource) }));
  switch (operation) {
    case 'GetDatabase':
      return on(`database/${Name}`);
    case 'GetDatabases':
      return on();
    case 'GetTable':
      return on(`database/${DatabaseName}`, `table/${DatabaseName}/${Name}`);
    case 'GetTables':
      return on(`database/${DatabaseName}`);
    case 'GetPartitions':
      return on(`database/${DatabaseName}`, `table/${DatabaseName}/${TableName}`);
    default:
      return undefined;
  }
};
