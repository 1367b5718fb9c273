import { expect, test } from '@jest/globals';
import { CreateScheduleCommand, DeleteScheduleCommand, scheduler as schedulerClient } from '@millrace/aws';
import { scheduleInput, startScheduler } from '../../../fixtures/scheduler-under-test.ts';
import { serve } from '../../../fixtures/service-under-test.ts';
import { scheduler } from './index.ts';

test('the client of @millrace/aws makes a schedule once, and deletes it once, in its group', async () => {
  await using stack = new AsyncDisposableStack();
  const started = stack.use(await startScheduler({}));
  const { client: configuration } = stack.use(await serve(scheduler, started.running));
  const client = schedulerClient(configuration);
  const group = { Name: 'order_1.a-b', GroupName: 'default' };
  const input = scheduleInput(group) as unknown as CreateScheduleCommand['input'];

  const { ScheduleArn } = await client.send(new CreateScheduleCommand(input));
  expect(ScheduleArn).toBe('arn:aws:scheduler:eu-central-1:000000000000:schedule/default/order_1.a-b');
  await expect(client.send(new CreateScheduleCommand(input))).rejects.toMatchObject({ name: 'ConflictException' });

  const other = new DeleteScheduleCommand({ ...group, GroupName: 'other' });
  await expect(client.send(other)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect(await client.send(new DeleteScheduleCommand(group))).toEqual({});
  await expect(client.send(new DeleteScheduleCommand(group))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});
