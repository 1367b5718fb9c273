import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { checkInput, flag, list, oneOf, required, structure, text, whole } from '../../core/shapes.ts';

// https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html
const workGroup = structure({
  Name: required(text({ pattern: /^[a-zA-Z0-9._-]{1,128}$/ })),
  Description: text({ max: 1024 }),
  State: oneOf('ENABLED', 'DISABLED'),
  Tags: list(structure({ Key: text({ min: 1, max: 128 }), Value: text({ max: 256 }) })),
  WorkGroupConfiguration: structure({
    BytesScannedCutoffPerQuery: whole({ min: 10_000_000 }),
    EnforceWorkGroupConfiguration: flag(),
    PublishCloudWatchMetricsEnabled: flag(),
    RequesterPaysEnabled: flag(),
    ResultConfiguration: structure({
      OutputLocation: text({ pattern: /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/ }),
      ExpectedBucketOwner: text({ pattern: /^\d{12}$/ }),
      EncryptionConfiguration: structure({
        EncryptionOption: required(oneOf('SSE_S3', 'SSE_KMS', 'CSE_KMS')),
        KmsKey: text(),
      }),
    }),
    EngineVersion: structure({ SelectedEngineVersion: text({ min: 1, max: 128 }) }),
  }),
});
// https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateNamedQuery.html
const namedQuery = structure({
  Name: required(text({ min: 1, max: 128 })),
  Description: text({ min: 1, max: 1024 }),
  Database: required(text({ min: 1, max: 255 })),
  QueryString: required(text({ min: 1, max: 262_144 })),
  WorkGroup: text({ pattern: /^[a-zA-Z0-9._-]{1,128}$/ }),
});

/** What an account has from the beginning. https://docs.aws.amazon.com/athena/latest/ug/workgroups.html */
const PRIMARY = 'primary';

interface WorkGroup {
  readonly Name: string;
  readonly State: string;
  readonly Description?: string;
  readonly CreationTime: number;
}

interface NamedQuery {
  readonly Name: string;
  readonly Database: string;
  readonly QueryString: string;
  readonly WorkGroup: string;
  readonly NamedQueryId: string;
  readonly Description?: string;
}

/** The work groups that templates declare, with their named queries. */
export class WorkGroups {
  readonly #workGroups = new Map<string, WorkGroup>();
  readonly #queries = new Map<string, NamedQuery>();
  readonly #now: () => number;

  /** @param now in milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.addWorkGroup({ Name: PRIMARY });
  }

  /** @throws AwsError InvalidRequestException */
  addWorkGroup(input: Input): void {
    checkInput(workGroup, input, 'InvalidRequestException');
    const { WorkGroupConfiguration: Configuration = {}, Tags: _tags, RecursiveDeleteOption: _delete, ...rest } = input;
    const { ResultConfiguration, ManagedQueryResultsConfiguration } = Configuration as Input;
    const encryption = (ResultConfiguration as Input | undefined)?.EncryptionConfiguration as Input | undefined;
    if (encryption && (encryption.EncryptionOption === 'SSE_S3') !== (encryption.KmsKey === undefined)) {
      throw invalid('EncryptionConfiguration needs a KmsKey with SSE_KMS and CSE_KMS, and none with SSE_S3');
    }
    if (
      ResultConfiguration !== undefined &&
      (ManagedQueryResultsConfiguration as Input | undefined)?.Enabled === true
    ) {
      throw invalid('A WorkGroup has a ResultConfiguration or managed query results, not both');
    }
    if (this.#workGroups.has(String(input.Name))) throw invalid(`WorkGroup ${String(input.Name)} is already created`);
    const group = {
      State: 'ENABLED',
      ...rest,
      Configuration,
      CreationTime: this.#now() / 1000,
    } as unknown as WorkGroup;
    this.#workGroups.set(group.Name, group);
  }

  /** @throws AwsError InvalidRequestException */
  addQuery(id: string, input: Input): void {
    checkInput(namedQuery, input, 'InvalidRequestException');
    const query = { WorkGroup: PRIMARY, ...input, NamedQueryId: id } as unknown as NamedQuery;
    this.workGroup(query.WorkGroup);
    this.#queries.set(id, query);
  }

  /** @throws AwsError InvalidRequestException when there is no such work group */
  workGroup(name: string): WorkGroup {
    const group = this.#workGroups.get(name);
    if (!group) throw invalid(`WorkGroup ${name} is not found.`);
    return group;
  }

  /** @throws AwsError InvalidRequestException when there is no such query */
  query(id: string): NamedQuery {
    const query = this.#queries.get(id);
    if (!query) throw invalid(`NamedQuery ${id} was not found`);
    return query;
  }

  all(): WorkGroup[] {
    return [...this.#workGroups.values()];
  }

  /** @throws AwsError InvalidRequestException when there is no such work group */
  queriesOf(workGroupName: string): NamedQuery[] {
    this.workGroup(workGroupName);
    return [...this.#queries.values()].filter(({ WorkGroup }) => WorkGroup === workGroupName);
  }
}

/** @example throw invalid('WorkGroup shop is not found.') */
export function invalid(message: string): AwsError {
  return new AwsError('InvalidRequestException', message);
}
