import { AwsError } from '../../core/aws-error.ts';
import type { Operations } from '../../core/service.ts';
import { invalid, type WorkGroups } from './work-groups.ts';

/** https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetNamedQuery.html */
const BATCH = 50;

/**
 * The part of the API that reads. https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
 */
export function athenaOperations(groups: WorkGroups): Operations {
  return {
    GetWorkGroup: ({ WorkGroup }) => ({ WorkGroup: groups.workGroup(String(WorkGroup)) }),
    ListWorkGroups: () => ({
      WorkGroups: groups.all().map(({ Name, State, Description, CreationTime }) => ({
        ...{ Name, State, CreationTime, ...(Description !== undefined && { Description }) },
      })),
    }),
    GetNamedQuery: ({ NamedQueryId }) => ({ NamedQuery: groups.query(String(NamedQueryId)) }),
    BatchGetNamedQuery: ({ NamedQueryIds }) => {
      const ids = Array.isArray(NamedQueryIds) ? NamedQueryIds.map(String) : [];
      if (ids.length === 0 || ids.length > BATCH) throw invalid(`NamedQueryIds must have 1 to ${BATCH} ids`);
      return { NamedQueries: ids.map((id) => groups.query(id)), UnprocessedNamedQueryIds: [] };
    },
    ListNamedQueries: ({ WorkGroup = 'primary' }) => ({
      NamedQueryIds: groups.queriesOf(String(WorkGroup)).map(({ NamedQueryId }) => NamedQueryId),
    }),
    StartQueryExecution: () => {
      throw new AwsError(
        'InvalidRequestException',
        'Athena runs no queries on this machine: npm run analytics -- "<sql>" runs them with DuckDB, over the same objects',
      );
    },
  };
}
