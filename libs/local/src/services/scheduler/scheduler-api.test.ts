import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListTagsForResourceCommand,
  paginateListScheduleGroups,
  paginateListSchedules,
  SchedulerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scheduleInput, startScheduler } from '../../../fixtures/scheduler-under-test.ts';
import { serve } from '../../../fixtures/service-under-test.ts';
import { scheduler } from './index.ts';

let stack: AsyncDisposableStack;
let client: SchedulerClient;
let started: Awaited<ReturnType<typeof startScheduler>>;
const refusedRoles = new Set<string>();

const input = (members: object = {}, target: object = {}): CreateScheduleCommandInput =>
  scheduleInput({ ...members }, { ...target }) as unknown as CreateScheduleCommandInput;
const create = (members: object = {}, target: object = {}) =>
  client.send(new CreateScheduleCommand(input(members, target)));
const names = async (filter: { GroupName?: string; NamePrefix?: string; State?: 'ENABLED' | 'DISABLED' }) => {
  const found: string[] = [];
  for await (const { Schedules = [] } of paginateListSchedules({ client, pageSize: 2 }, filter)) {
    found.push(...Schedules.map(({ GroupName, Name }) => `${GroupName}/${Name}`));
  }
  return found;
};

beforeEach(async () => {
  refusedRoles.clear();
  stack = new AsyncDisposableStack();
  started = stack.use(await startScheduler({ mayAssume: (roleArn) => !refusedRoles.has(roleArn) }));
  const { client: configuration } = stack.use(await serve(scheduler, started.running));
  client = new SchedulerClient(configuration);
});

afterEach(async () => {
  client.destroy();
  await stack.disposeAsync();
});

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html */
describe('schedules', () => {
  it('are described with the defaults of what was left out', async () => {
    const { ScheduleArn } = await create({ Description: 'every five minutes' });
    expect(ScheduleArn).toBe('arn:aws:scheduler:eu-central-1:000000000000:schedule/default/nightly');
    const { $metadata, ...described } = await client.send(new GetScheduleCommand({ Name: 'nightly' }));
    expect(described).toEqual({
      ActionAfterCompletion: 'NONE',
      Arn: ScheduleArn,
      CreationDate: new Date('2026-06-01T00:00:00Z'),
      Description: 'every five minutes',
      FlexibleTimeWindow: { Mode: 'OFF' },
      GroupName: 'default',
      LastModificationDate: new Date('2026-06-01T00:00:00Z'),
      Name: 'nightly',
      ScheduleExpression: 'rate(5 minutes)',
      ScheduleExpressionTimezone: 'UTC',
      State: 'ENABLED',
      Target: {
        ...input().Target,
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    });
  });

  /** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html */
  it('are replaced by an update: what it leaves out goes back to its default', async () => {
    await create({ Description: 'old', EndDate: new Date('2027-01-01T00:00:00Z') });
    await started.clock.advance(60_000);
    await client.send(new UpdateScheduleCommand(input({ ScheduleExpression: 'cron(0 8 ? * MON-FRI *)' })));
    const found = await client.send(new GetScheduleCommand({ Name: 'nightly' }));
    expect(found).toMatchObject({
      ScheduleExpression: 'cron(0 8 ? * MON-FRI *)',
      CreationDate: new Date('2026-06-01T00:00:00Z'),
      LastModificationDate: new Date('2026-06-01T00:01:00Z'),
    });
    expect(found.Description).toBeUndefined();
    expect(found.EndDate).toBeUndefined();
  });

  it('conflict by name, and are answered once for one client token', async () => {
    const first = await create({ ClientToken: 'token-1' });
    expect(await create({ ClientToken: 'token-1' })).toMatchObject({ ScheduleArn: first.ScheduleArn });
    await expect(create({ ClientToken: 'token-1', State: 'DISABLED' })).rejects.toMatchObject({
      name: 'ConflictException',
    });
    await expect(create({ ClientToken: 'token-2' })).rejects.toMatchObject({
      name: 'ConflictException',
      message: 'Schedule nightly already exists.',
      $metadata: { httpStatusCode: 409 },
    });
    await client.send(new DeleteScheduleCommand({ Name: 'nightly', ClientToken: 'token-3' }));
    await client.send(new DeleteScheduleCommand({ Name: 'nightly', ClientToken: 'token-3' }));
    await expect(client.send(new DeleteScheduleCommand({ Name: 'nightly' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Schedule nightly does not exist.',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it.each([
    [{ ScheduleExpression: 'rate(30 seconds)' }, {}, 'Invalid Schedule Expression rate(30 seconds).'],
    [{ ScheduleExpression: 'cron(*/30 * * * * ? *)' }, {}, 'Invalid Schedule Expression cron(*/30 * * * * ? *).'],
    [{ ScheduleExpressionTimezone: 'Europe/Atlantis' }, {}, 'Invalid Schedule Expression Timezone Europe/Atlantis.'],
    [
      { StartDate: new Date('2026-05-31T23:54:00Z') },
      {},
      'The StartDate you specify cannot be earlier than 5 minutes ago.',
    ],
    [{}, { Arn: 'arn:aws:rds:eu-central-1:000000000000:db:x' }, 'rds is not a supported service for a target.'],
    [{}, { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:getQueueUrl' }, 'getQueueUrl API is not supported.'],
    [
      {},
      { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage', Input: undefined },
      'You must provide an input to set this target for your schedule.',
    ],
    [
      { Name: 'a b' },
      {},
      "1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$",
    ],
    [
      { FlexibleTimeWindow: { Mode: 'SOMETIMES' } },
      { RetryPolicy: { MaximumRetryAttempts: 186 } },
      "2 validation errors detected: Value '186' at 'target.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 185; Value 'SOMETIMES' at 'flexibleTimeWindow.mode' failed to satisfy constraint: Member must satisfy enum value set: [OFF, FLEXIBLE]",
    ],
  ])('are refused: %j %j', async (members, target, message) => {
    await expect(create(members, target)).rejects.toMatchObject({
      name: 'ValidationException',
      message,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('need a role that Scheduler may assume', async () => {
    refusedRoles.add('arn:aws:iam::000000000000:role/others');
    await expect(create({}, { RoleArn: 'arn:aws:iam::000000000000:role/others' })).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.',
    });
  });

  /** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html */
  it('are listed page by page, by group, prefix and state', async () => {
    await client.send(new CreateScheduleGroupCommand({ Name: 'billing' }));
    for (const Name of ['a1', 'a2', 'a3', 'b1', 'b2']) await create({ Name });
    await create({ Name: 'a4', GroupName: 'billing', State: 'DISABLED' });
    expect(await names({})).toEqual(['billing/a4', ...['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => `default/${name}`)]);
    expect(await names({ NamePrefix: 'a', GroupName: 'default' })).toEqual(['default/a1', 'default/a2', 'default/a3']);
    expect(await names({ State: 'DISABLED' })).toEqual(['billing/a4']);
    await expect(names({ GroupName: 'none' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Schedule group none does not exist.',
    });
  });
});

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html */
describe('schedule groups', () => {
  it('have tags', async () => {
    const { ScheduleGroupArn = '' } = await client.send(
      new CreateScheduleGroupCommand({ Name: 'billing', Tags: [{ Key: 'team', Value: 'orders' }] }),
    );
    const ResourceArn = ScheduleGroupArn;
    await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'cost', Value: '42' }] }));
    await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }));
    const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn }));
    expect(Tags).toEqual([{ Key: 'cost', Value: '42' }]);
  });

  it('are listed, and deleted with their schedules; the default group stays', async () => {
    await client.send(new CreateScheduleGroupCommand({ Name: 'billing' }));
    await create({ GroupName: 'billing' });
    expect(await client.send(new GetScheduleGroupCommand({ Name: 'billing' }))).toMatchObject({
      Arn: 'arn:aws:scheduler:eu-central-1:000000000000:schedule-group/billing',
      State: 'ACTIVE',
    });
    const listed: unknown[] = [];
    for await (const { ScheduleGroups = [] } of paginateListScheduleGroups({ client, pageSize: 1 }, {})) {
      listed.push(...ScheduleGroups.map(({ Name }) => Name));
    }
    expect(listed).toEqual(['billing', 'default']);
    await client.send(new DeleteScheduleGroupCommand({ Name: 'billing' }));
    await expect(client.send(new GetScheduleCommand({ Name: 'nightly', GroupName: 'billing' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(client.send(new DeleteScheduleGroupCommand({ Name: 'default' }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});
