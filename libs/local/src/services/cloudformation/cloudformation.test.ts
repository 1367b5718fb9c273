import {
  CloudFormationClient,
  DescribeStackResourceCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListImportsCommand,
  ListStacksCommand,
  paginateListExports,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CloudFormationTemplate, Stack } from '@millrace/cloudformation';
import { hostUnderTest, serve } from '../../../fixtures/service-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import { events } from '../events/index.ts';
import { sqs } from '../sqs/index.ts';
import { cloudFormation } from './index.ts';

const start = new Date('2026-06-01T00:00:00Z');
const templates: Record<string, CloudFormationTemplate> = {
  bus: {
    Parameters: { Stage: { Type: 'String', Default: 'dev' } },
    Resources: { Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop-<&>' } } },
    Outputs: { BusName: { Value: { Ref: 'Bus' }, Export: { Name: 'bus-name' } }, PackageHash: { Value: 'abc' } },
  },
  orders: {
    Resources: Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [
        `Queue${String(index).padStart(3, '0')}`,
        { Type: 'AWS::SQS::Queue', Properties: { QueueName: `q${index}` } },
      ]),
    ),
    Outputs: { Uses: { Value: { 'Fn::ImportValue': 'bus-name' } } },
  },
};

let stack: AsyncDisposableStack;
let client: CloudFormationClient;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const stacks = Object.entries(templates).map(
    ([name, template]) =>
      new Stack(name, template, {
        accountId: '000000000000',
        region: 'eu-central-1',
        awsUrl: 'http://127.0.0.1:4566',
        exportedValue: () => ({ value: 'shop-<&>' }),
        ssmParameter: () => undefined,
        resourceTypes: {
          ...events.resourceTypes,
          ...sqs.resourceTypes,
        },
      }),
  );
  const running = stack.use(await cloudFormation.start(hostUnderTest({ clock: new ManualClock(start) })));
  await running.activate?.(stacks);
  client = new CloudFormationClient(stack.use(await serve(cloudFormation, running)).client);
});

afterEach(async () => {
  client.destroy();
  await stack.disposeAsync();
});

/** What deployments ask: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
describe('stacks', () => {
  it('are described by name, by id and all together', async () => {
    const { Stacks: [bus] = [] } = await client.send(new DescribeStacksCommand({ StackName: 'bus' }));
    expect(bus).toMatchObject({
      StackName: 'bus',
      StackId: expect.stringMatching(/^arn:aws:cloudformation:eu-central-1:000000000000:stack\/bus\/[0-9a-f-]{36}$/),
      StackStatus: 'CREATE_COMPLETE',
      CreationTime: start,
      Parameters: [{ ParameterKey: 'Stage', ParameterValue: 'dev' }],
      Outputs: [
        { OutputKey: 'BusName', OutputValue: 'shop-<&>', ExportName: 'bus-name' },
        { OutputKey: 'PackageHash', OutputValue: 'abc' },
      ],
    });
    const byId = await client.send(new DescribeStacksCommand({ StackName: String(bus?.StackId) }));
    expect(byId.Stacks).toEqual([bus]);
    const names = (await client.send(new DescribeStacksCommand({}))).Stacks?.map(({ StackName }) => StackName);
    expect(names).toEqual(['bus', 'orders']);
    const deleted = await client.send(new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'] }));
    expect(deleted.StackSummaries).toEqual([]);
  });

  it('that are not there are told as AWS tells them', async () => {
    const error = { name: 'ValidationError', message: 'Stack with id none does not exist' };
    await expect(client.send(new DescribeStacksCommand({ StackName: 'none' }))).rejects.toMatchObject(error);
    await expect(client.send(new GetTemplateCommand({ StackName: 'none' }))).rejects.toMatchObject(error);
  });

  it('give their template as it was', async () => {
    const { TemplateBody = '' } = await client.send(
      new GetTemplateCommand({ StackName: 'bus', TemplateStage: 'Original' }),
    );
    expect(JSON.parse(TemplateBody)).toEqual(templates.bus);
  });
});

describe('resources', () => {
  it('are listed page by page, and described', async () => {
    const listed: string[] = [];
    for await (const { StackResourceSummaries = [] } of paginateListStackResources(
      { client },
      { StackName: 'orders' },
    )) {
      listed.push(...StackResourceSummaries.map(({ LogicalResourceId }) => String(LogicalResourceId)));
    }
    expect(listed).toEqual(Object.keys(templates.orders?.Resources ?? {}));
    const { StackResources } = await client.send(new DescribeStackResourcesCommand({ StackName: 'bus' }));
    expect(StackResources).toMatchObject([
      {
        StackName: 'bus',
        LogicalResourceId: 'Bus',
        PhysicalResourceId: 'shop-<&>',
        ResourceType: 'AWS::Events::EventBus',
        ResourceStatus: 'CREATE_COMPLETE',
        Timestamp: start,
      },
    ]);
    const byPhysicalId = await client.send(new DescribeStackResourcesCommand({ PhysicalResourceId: 'shop-<&>' }));
    expect(byPhysicalId.StackResources).toEqual(StackResources);
    const describe = (LogicalResourceId: string) =>
      client.send(new DescribeStackResourceCommand({ StackName: 'bus', LogicalResourceId }));
    expect((await describe('Bus')).StackResourceDetail).toMatchObject({ LastUpdatedTimestamp: start });
    await expect(describe('None')).rejects.toMatchObject({ message: 'Resource None does not exist for stack bus' });
  });
});

it('exports are listed, and who imports them', async () => {
  const exports: unknown[] = [];
  for await (const { Exports = [] } of paginateListExports({ client }, {})) exports.push(...Exports);
  expect(exports).toEqual([
    { ExportingStackId: expect.stringMatching(/:stack\/bus\//), Name: 'bus-name', Value: 'shop-<&>' },
  ]);
  expect((await client.send(new ListImportsCommand({ ExportName: 'bus-name' }))).Imports).toEqual(['orders']);
  await expect(client.send(new ListImportsCommand({ ExportName: 'none' }))).rejects.toMatchObject({
    message: "Export 'none' is not imported by any stack.",
  });
});
