import type { AccessOf } from '../../core/access.ts';

/**
 * Named queries belong to a work group, whose name is not in every request.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
 */
export const athenaAccess: AccessOf = (operation, { WorkGroup }, arn) => {
  const action = `athena:${operation}`;
  switch (operation) {
    case 'GetWorkGroup':
    case 'StartQueryExecution':
    case 'ListNamedQueries':
      return [{ action, resource: arn('athena', `workgroup/${WorkGroup ?? 'primary'}`) }];
    case 'GetNamedQuery':
    case 'BatchGetNamedQuery':
      return [{ action, resource: arn('athena', 'workgroup/*') }];
    case 'ListWorkGroups':
      return [{ action, resource: '*' }];
    default:
      return undefined;
  }
};
