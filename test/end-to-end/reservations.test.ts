import { randomUUID } from 'node:crypto';
import { GetScheduleCommand } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LineageNode } from '@millrace/lineage';
import { eventually } from '@millrace/testing';
import { GRACE_MS } from '@millrace/timers';
import { locations } from '../../services/reservations/locations.ts';
import { addDays, dateIn } from '../../services/reservations/src/domain/local-time.ts';
import { slotsOf } from '../../services/reservations/src/domain/slot-plan.ts';
import { runScript } from '../run-script.ts';
import { Aws } from './aws.ts';
import { Shop } from './shop.ts';
import { CODE, slotOf, slotsIn } from './slots.ts';
import { type System, startSystem } from './system.ts';

const GROUP = 'millrace-reservations-dev-set-timer';
/** From the start of a slot to its end as unattended, in minutes. */
const LATE = 10;

let system: System;
let aws: Aws;
let ada: Shop;
let grace: Shop;
beforeAll(async () => {
  system = await startSystem();
  aws = new Aws(system);
  ada = new Shop(system);
  grace = new Shop(system);
}, 120_000);
afterAll(() => system?.stop());

const reservation = (slotId: string) => `/slots/${slotId}/reservation`;

/** Waits until a slot has this status. */
function slotThatIs(slotId: string, status: string) {
  return eventually(
    async () => {
      const { body } = await ada.request('GET', `/slots/${slotId}`);
      expect(body.status).toBe(status);
      return body;
    },
    { deadlineMs: 120_000 },
  );
}

/** The detail-types of what the bus was told of a slot, by the event log, in order. */
async function told(slotId: string): Promise<string[]> {
  const { body } = await ada.request('GET', `/lineage/${slotId}`);
  const withEffects = (node: LineageNode): LineageNode[] => [node, ...node.events.flatMap(withEffects)];
  return body.trees
    .flatMap((tree) => tree.events.flatMap(withEffects))
    .toSorted((a, b) => a.time.localeCompare(b.time))
    .map(({ detailType }) => detailType)
    .filter((type) => type.startsWith('Slot'));
}

const scheduleOf = (name: string) => aws.scheduler.send(new GetScheduleCommand({ Name: name, GroupName: GROUP }));

test('a slot is reserved, checked in to with the code of the answer, and checked out', async () => {
  const { slotId } = await slotOf(system, { startsIn: -1 });
  const { status, body } = await ada.request('POST', reservation(slotId));
  expect(status).toBe(201);
  const name = body.reservation?.reservationId;
  await eventually(() => scheduleOf(`${name}.check-in`));

  expect((await ada.request('POST', `/slots/${slotId}/check-in`, { code: 'AAAA-AAAA-AAAA' })).status).toBe(403);
  expect((await ada.request('POST', `/slots/${slotId}/check-in`, { code: body.checkInCode })).status).toBe(200);
  await eventually(() => scheduleOf(`${name}.check-out`));
  expect((await ada.request('POST', `/slots/${slotId}/check-out`)).body.status).toBe('FREE');

  // Nothing is left of its schedules, and its events are there.
  await eventually(async () => {
    for (const each of ['check-in', 'check-out']) {
      await expect(scheduleOf(`${name}.${each}`)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    }
  });
  await eventually(async () => {
    expect(await told(slotId)).toEqual(['SlotCreated.v1', 'SlotReserved.v1', 'SlotCheckedIn.v1', 'SlotCheckedOut.v1']);
  });
});

test('the display shows the slots of a day as they are, from events alone, and as well after a rebuild', async () => {
  const locationId = `location-${randomUUID()}`;
  const [reserved, free] = [await slotOf(system, { locationId }), await slotOf(system, { locationId, startsIn: 61 })];
  await ada.request('POST', reservation(reserved.slotId));
  const shown = async () => {
    const pages = [reserved, free].map(({ date }) => ada.request('GET', `/locations/${locationId}/slots?date=${date}`));
    const slots = (await Promise.all(pages)).flatMap(({ body }) => body.slots);
    return Object.fromEntries(slots.map(({ slotId, status }) => [slotId, status]));
  };
  const expected = { [reserved.slotId]: 'RESERVED', [free.slotId]: 'FREE' };
  await eventually(async () => expect(await shown()).toEqual(expected), { deadlineMs: 60_000 });

  const { exitCode, stderr } = await runScript('rebuild', 'slots-by-day', '--endpoint', system.awsUrl);

  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  expect(await shown()).toEqual(expected);
}, 180_000);

test('a cancellation removes the schedule, and the slot is free for another customer', async () => {
  const { slotId } = await slotOf(system);
  const { body } = await ada.request('POST', reservation(slotId));
  const name = `${body.reservation?.reservationId}.check-in`;
  await eventually(() => scheduleOf(name));

  expect((await ada.request('DELETE', reservation(slotId))).status).toBe(200);

  await eventually(async () => {
    await expect(scheduleOf(name)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
  expect((await grace.request('POST', reservation(slotId))).status).toBe(201);
});

test('a slot that nobody checked in to becomes unattended by its schedule, free, and reserved by another', async () => {
  const locationId = `location-${randomUUID()}`;
  const free = await slotOf(system, { locationId, startsIn: 30 });
  // In two seconds it is ten minutes since its start.
  const { slotId } = await slotOf(system, { locationId, startsIn: -LATE + 2 / 60, holder: ada.customerId });

  await eventually(async () => expect(await told(slotId)).toContain('SlotUnattended.v1'), { deadlineMs: 120_000 });
  await slotThatIs(slotId, 'FREE');
  const late = await ada.request('POST', `/slots/${slotId}/check-in`, { code: CODE });
  expect([late.status, late.body.code]).toEqual([409, 'RESERVATION_UNATTENDED']);
  expect((await grace.request('POST', reservation(slotId))).status).toBe(201);
  const refused = await ada.request('POST', reservation(slotId));
  expect([refused.status, refused.body.code]).toEqual([409, 'SLOT_TAKEN']);
  expect(refused.body.alternatives.map((slot) => slot.slotId)).toEqual([free.slotId]);
}, 180_000);

test('a reservation whose schedule was never made is ended by the sweep', async () => {
  const resume = await aws.pause('reservations', 'setTimer');
  try {
    const { slotId } = await slotOf(system, { startsIn: -LATE - GRACE_MS / 60_000 - 0.1, holder: ada.customerId });
    await aws.invoke('reservations', 'sweepTimeLimits');
    expect((await slotsIn(system).load(slotId)).ended?.outcome).toBe('UNATTENDED');
  } finally {
    await resume();
  }
}, 180_000);

test('the slots of the coming days are generated once, and can be reserved', async () => {
  await aws.invoke('reservations', 'generateSlots');
  const now = new Date();
  const planned = locations.flatMap((location) =>
    Array.from({ length: 5 }, (_, days) => slotsOf(location, addDays(dateIn(location.timeZone, now), days))).flat(),
  );
  const slot = planned.find(({ startsAt }) => startsAt > new Date(now.getTime() + 3_600_000).toISOString());

  expect((await ada.request('POST', reservation(slot?.slotId ?? ''))).status).toBe(201);
  await aws.invoke('reservations', 'generateSlots');
  expect((await ada.request('GET', `/slots/${slot?.slotId}`)).body).toMatchObject({ ...slot, status: 'RESERVED' });
});

test('two customers who want the same slot at the same moment: one gets it, and the other another one', async () => {
  const locationId = `location-${randomUUID()}`;
  const [wanted, other] = [await slotOf(system, { locationId }), await slotOf(system, { locationId, startsIn: 90 })];
  const answers = await Promise.all([ada, grace].map((shop) => shop.request('POST', reservation(wanted.slotId))));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  const [refused] = answers.filter(({ status }) => status === 409);
  expect(refused?.body.alternatives).toEqual([
    { slotId: other.slotId, startsAt: other.startsAt, endsAt: other.endsAt },
  ]);
});

test('staff closes a slot: its reservation is cancelled, and it cannot be reserved until it is opened again', async () => {
  const { slotId } = await slotOf(system, { holder: ada.customerId });
  expect((await ada.request('POST', `/slots/${slotId}/closure`)).body.status).toBe('CLOSED');
  expect((await grace.request('POST', reservation(slotId))).body.code).toBe('SLOT_CLOSED');
  expect((await ada.request('DELETE', `/slots/${slotId}/closure`)).body.status).toBe('FREE');
  await eventually(async () => {
    expect((await told(slotId)).toSorted()).toEqual(
      ['SlotCreated.v1', 'SlotReserved.v1', 'SlotCancelled.v1', 'SlotClosed.v1', 'SlotReopened.v1'].toSorted(),
    );
  });
});
