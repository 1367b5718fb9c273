import { expect } from '@jest/globals';
import type { billOfMaterials } from '../../scripts/supply-chain/bill-of-materials.ts';

export type Bill = ReturnType<typeof billOfMaterials>;

/** What the schema demands of the parts that are used here: https://cyclonedx.org/docs/1.6/json/ */
export function expectCycloneDx(bill: Bill): void {
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    version: 1,
  });
  expect(new Date(bill.metadata.timestamp).toISOString()).toBe(bill.metadata.timestamp);
  const parts = [bill.metadata.component, ...bill.components];
  for (const part of parts) {
    expect(part).toMatchObject({
      type: expect.stringMatching(/^(application|library)$/),
      name: expect.stringMatching(/./),
      version: expect.stringMatching(/./),
      licenses: expect.any(Array),
    });
  }
  const references = parts.map((part) => part['bom-ref']);
  expect(new Set(references).size).toBe(references.length);
  expect(bill.dependencies.map(({ ref }) => ref)).toEqual(references);
  for (const { dependsOn } of bill.dependencies) {
    expect(new Set(dependsOn).size).toBe(dependsOn.length);
    expect(references).toEqual(expect.arrayContaining(dependsOn));
  }
}
