import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import { defineLocations, type Location } from '../domain/location.ts';
import { slotsOf } from '../domain/slot-plan.ts';
import { generateSlots, slotHorizonFromEnvironment } from './slot-generation.ts';
import { Slots } from './slots.ts';

let dynamoDb: TestDynamoDb;
let slots: Slots;
let table: ConstructorParameters<typeof Slots>[0];
let id = 0;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  table = { client: documentClient(), name: 'reservations' };
});
beforeEach(() => {
  id += 1;
  slots = new Slots(table);
});
afterAll(() => dynamoDb.stop());

function berlin(hours = '10:00-13:00'): Location[] {
  const openingHours = { thursday: [hours], friday: [hours], sunday: ['00:00-24:00'] };
  const place = { id: `berlin-${id}`, name: 'Berlin', timeZone: 'Europe/Berlin', slotMinutes: 60 };
  return [...defineLocations([{ ...place, openingHours }])];
}
const generate = (locations: Location[], now: string, horizonDays = 2, isTimeLeft = () => true) =>
  generateSlots(slots, table, { locations, horizonDays, now: new Date(now), isTimeLeft });

describe('a generation', () => {
  test('creates the slots of the coming days, each once', async () => {
    const locations = berlin();
    expect(await generate(locations, '2026-01-15T06:00:00Z')).toBe(6);
    const execute = jest.spyOn(slots, 'execute');
    expect(await generate(locations, '2026-01-15T06:05:00Z')).toBe(0);
    expect(await generate(locations, '2026-01-15T06:05:00Z', 1)).toBe(0);
    // Days that are done cost no request for each slot.
    expect(execute).not.toHaveBeenCalled();
    const [first] = slotsOf(locations[0] as Location, '2026-01-15');
    expect(await storedEvents('reservations', first?.slotId)).toMatchObject([
      { detailType: 'SlotCreated.v1', data: { ...first, status: 'FREE' } },
    ]);
  });

  test('beside another one, or after one that has died, changes nothing that is there', async () => {
    const locations = berlin();
    let calls = 0;
    expect(await generate(locations, '2026-01-15T06:00:00Z', 2, () => ++calls <= 1)).toBe(3);
    const created = await Promise.all([
      generate(locations, '2026-01-15T06:05:00Z'),
      generateSlots(new Slots(table), table, {
        locations,
        horizonDays: 2,
        now: new Date('2026-01-15T06:05:00Z'),
        isTimeLeft: () => true,
      }),
    ]);
    expect(created[0] + created[1]).toBe(3);
  });

  test('leaves out what is over, and begins with the day at the location', async () => {
    expect(await generate(berlin(), '2026-01-15T11:30:00Z', 1)).toBe(1);
    id += 1;
    // Friday has begun in Berlin.
    expect(await generate(berlin(), '2026-01-15T23:30:00Z', 1)).toBe(3);
  });

  test('adds what longer opening hours add to a day that was done', async () => {
    expect(await generate(berlin(), '2026-01-15T06:00:00Z', 1)).toBe(3);
    expect(await generate(berlin('10:00-15:00'), '2026-01-15T06:05:00Z', 1)).toBe(2);
    expect(await generate(berlin('10:00-15:00'), '2026-01-15T06:05:00Z', 1)).toBe(0);
  });

  test.each([
    ['2026-03-28T23:00:00Z', 23],
    ['2026-10-24T22:00:00Z', 25],
  ])('gives the day that begins at %s %d slots of an hour', async (now, hours) => {
    expect(await generate(berlin(), now, 1)).toBe(hours);
  });
});

test.each(['', '0', '91', '1.5', 'x'])('a horizon of %j days stops the function from starting', (days) => {
  expect(() => slotHorizonFromEnvironment({ MILLRACE_SLOT_HORIZON_DAYS: days })).toThrow('MILLRACE_SLOT_HORIZON_DAYS');
});
