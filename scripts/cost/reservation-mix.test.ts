import { expect, test } from '@jest/globals';
import type { Measurement } from './measurement.ts';
import { readPriceTable } from './price-table.ts';
import { readQuotaTable } from './quota-use.ts';
import { formatReport, makeReport } from './report.ts';
import { plannedReservation } from './reservation-mix.ts';
import type { Inventory } from './template-inventory.ts';

test.each([0, 37, 1_000])('the mix is the same in any hundred reservations, such as those from %i on', (from) => {
  const outcomes = Array.from({ length: 100 }, (_, index) => plannedReservation(from + index));
  const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length;

  expect(['attended', 'cancelled', 'not attended', 'refused'].map(count)).toEqual([80, 10, 5, 5]);
});

test('a report about reservations says so in its titles', () => {
  const measurement: Measurement = {
    ...{ what: 'reservations', orders: 10, clients: 1, stage: 'prod', latenciesMs: [12], stored: [] },
    usage: [
      {
        meter: 'lambda.invocations',
        resource: 'millrace-reservations-prod-postReservation',
        operation: '',
        amount: 10,
      },
      {
        meter: 'lambda.milliseconds',
        resource: 'millrace-reservations-prod-postReservation',
        operation: '',
        amount: 100,
      },
    ],
  };
  const inventory: Inventory = {
    ...{ alarms: [], consumers: [], relays: [], pipes: [], streams: [], deliveryStreams: [], approvalSeconds: 0 },
    ...{ tables: [], tablesWithRecovery: [], timeToLive: new Map() },
  };
  const report = makeReport(measurement, readPriceTable(), readQuotaTable(), inventory, ['reservations']);
  const text = formatReport(report);

  expect(report.what).toBe('reservations');
  expect(text).toContain('Counted over 10 reservations, one at a time');
  expect(text).toContain('ONE RESERVATION\n');
  expect(text).toContain('From the request to the answer on this machine');
  expect(text).toContain('A MILLION RESERVATIONS, BY AWS PRODUCT');
  expect(text).not.toMatch(/ORDER\b|ORDERS|orders\/s|mail on this machine/);
});
