import { afterEach, describe, expect, test } from '@jest/globals';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { callAwsJson } from '../../core/aws-json-client.ts';
import { type ServiceOnPort, startServiceOnPort } from '../../service-on-port.ts';
import { glue } from '../glue/index.ts';
import { athena } from './index.ts';

let server: ServiceOnPort<unknown> | undefined;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

const group = {
  Name: 'shop',
  Description: 'Questions about the shop',
  Tags: [{ Key: 'team', Value: 'shop' }],
  WorkGroupConfiguration: {
    EnforceWorkGroupConfiguration: true,
    BytesScannedCutoffPerQuery: 10_000_000_000,
    ResultConfiguration: {
      OutputLocation: 's3://results/shop/',
      EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
    },
  },
};
const query = { Name: 'revenue', Database: { Ref: 'Database' }, QueryString: 'SELECT 1', WorkGroup: { Ref: 'Group' } };

async function start({ Group = group, Query = query }: { Group?: object; Query?: object } = {}): Promise<void> {
  server = await startServiceOnPort(athena, {
    others: [glue],
    template: {
      Resources: {
        Database: { Type: 'AWS::Glue::Database', Properties: { DatabaseInput: { Name: 'lake' } } },
        Group: { Type: 'AWS::Athena::WorkGroup', Properties: Group },
        Query: { Type: 'AWS::Athena::NamedQuery', Properties: Query },
      },
    } as CloudFormationTemplate,
  });
}

const call = (operation: string, input: object) =>
  callAwsJson(
    server?.endpoint ?? '',
    { region: 'us-east-1', service: 'athena', target: `AmazonAthena.${operation}` },
    input,
  );

// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetWorkGroup.html
test('work groups are those of templates, and the primary one', async () => {
  await start();
  expect(await call('GetWorkGroup', { WorkGroup: 'shop' })).toMatchObject({
    WorkGroup: { Name: 'shop', State: 'ENABLED', Configuration: group.WorkGroupConfiguration },
  });
  const { WorkGroups } = (await call('ListWorkGroups', {})) as { WorkGroups: { Name: string }[] };
  expect(WorkGroups.map(({ Name }) => Name)).toEqual(['primary', 'shop']);
  await expect(call('GetWorkGroup', { WorkGroup: 'other' })).rejects.toMatchObject({
    code: 'InvalidRequestException',
    message: 'WorkGroup other is not found.',
  });
});

// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetNamedQuery.html
test('named queries are found by their work group and their id', async () => {
  await start();
  const { NamedQueryIds } = (await call('ListNamedQueries', { WorkGroup: 'shop' })) as { NamedQueryIds: string[] };
  expect(NamedQueryIds).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  const [NamedQueryId] = NamedQueryIds;
  const NamedQuery = { Name: 'revenue', Database: 'lake', QueryString: 'SELECT 1', WorkGroup: 'shop', NamedQueryId };
  expect(await call('GetNamedQuery', { NamedQueryId })).toEqual({ NamedQuery });
  expect(await call('BatchGetNamedQuery', { NamedQueryIds })).toMatchObject({ NamedQueries: [NamedQuery] });
  expect(await call('ListNamedQueries', {})).toEqual({ NamedQueryIds: [] });
  await expect(call('GetNamedQuery', { NamedQueryId: 'other' })).rejects.toMatchObject({
    code: 'InvalidRequestException',
  });
});

// https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
test('no query runs here, and the answer says which command runs it', async () => {
  await start();
  await expect(call('StartQueryExecution', { QueryString: 'SELECT 1', WorkGroup: 'shop' })).rejects.toMatchObject({
    code: 'InvalidRequestException',
    message: expect.stringContaining('npm run analytics'),
  });
});

// https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html
describe('a template is refused', () => {
  const configured = (WorkGroupConfiguration: object) => ({ Group: { ...group, WorkGroupConfiguration } });
  test.each<[string, { Group?: object; Query?: object }, string]>([
    ['has another name', { Group: { ...group, Name: 'my shop' } }, "'my shop' at 'name'"],
    [
      'lets queries read too little',
      configured({ BytesScannedCutoffPerQuery: 1000 }),
      'greater than or equal to 10000000',
    ],
    ['keeps results elsewhere', configured({ ResultConfiguration: { OutputLocation: '/tmp' } }), 'outputLocation'],
    [
      'lacks the key',
      configured({ ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' } } }),
      'needs a KmsKey',
    ],
    [
      'has a key that S3 does not use',
      configured({ ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3', KmsKey: 'key' } } }),
      'none with SSE_S3',
    ],
    [
      'keeps results twice',
      configured({ ...group.WorkGroupConfiguration, ManagedQueryResultsConfiguration: { Enabled: true } }),
      'not both',
    ],
    ['is named primary', { Group: { ...group, Name: 'primary' } }, 'already created'],
    ['has a query without text', { Query: { ...query, QueryString: '' } }, 'queryString'],
    ['has a query of another work group', { Query: { ...query, WorkGroup: 'other' } }, 'WorkGroup other is not found'],
    ['has a query of another database', { Query: { ...query, Database: 'other' } }, 'Database other does not exist'],
  ])('when it %s', async (_, parts, message) => {
    await expect(start(parts)).rejects.toThrow(message);
  });
});
