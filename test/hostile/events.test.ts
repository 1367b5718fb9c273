import { describe, expect, test } from '@jest/globals';
import { type EventContract, parseEnvelope } from '@millrace/events';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import * as fc from 'fast-check';
import { falseEvents, validEvents } from './events.ts';
import { hostileTexts } from './hostile-json.ts';

const contracts = [...(await loadContracts(serviceDirectories(findWorkspaceRoot(import.meta.dirname)))).values()];
const orderIds = ['0b9f6c1e-5a43-4c0e-9a51-6f4d4c1c2a11'];
const runs = { numRuns: 40, seed: 1 };

describe.each(contracts.map((contract): [string, EventContract] => [contract.detailType, contract]))(
  '%s',
  (_, contract) => {
    const events = validEvents(contract, orderIds);
    const read = (text: string) => contract.parse(parseEnvelope(text));

    test('valid events satisfy the contract', () => {
      fc.assert(
        fc.property(events, (event) => {
          expect(read(JSON.stringify(event)).data).toMatchObject(event.detail.data);
        }),
        runs,
      );
    });

    test('what is to be refused breaks it', () => {
      fc.assert(
        fc.property(falseEvents(events, contracts, { envelope: true, orderIds }), ({ event, refused }) => {
          fc.pre(refused);
          expect(() => read(JSON.stringify(event))).toThrow();
        }),
        runs,
      );
    });

    test('no consumer has to wait for another event', () => {
      fc.assert(
        fc.property(falseEvents(events, contracts, { envelope: true, orderIds }), ({ event }) => {
          const { metadata, data } = event.detail;
          if (metadata?.name === 'ShipmentCreated') expect(orderIds).toContain(data.orderId);
        }),
        { ...runs, numRuns: 200 },
      );
    });

    test('what is broken is no JSON object', () => {
      fc.assert(
        fc.property(hostileTexts(events), ({ text, broken }) => {
          fc.pre(broken);
          expect(() => parseEnvelope(text)).toThrow('Not an event');
        }),
        runs,
      );
    });
  },
);
