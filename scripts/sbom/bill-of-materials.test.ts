import { describe, expect, test } from '@jest/globals';
import { expectCycloneDx } from '../supply-chain/fixtures/cyclone-dx.ts';
import { billOfMaterials } from './bill-of-materials.ts';

describe('a bill of materials', () => {
  const application = { name: 'shop', version: '1.0.0', description: 'A shop.', license: 'MIT' };
  const shipped = (name: string, licence: string | undefined, dependsOn: string[] = []) => ({
    name,
    version: '2.0.0',
    licence,
    services: ['orders'],
    direct: name.startsWith('@'),
    dependsOn,
    integrity: 'sha1-AAEC sha512-/w==',
  });
  const bill = billOfMaterials(
    application,
    [shipped('@scope/direct', 'MIT', ['choice@2.0.0']), shipped('choice', '(MIT OR WTFPL)'), shipped('other', 'Ours')],
    { known: new Set(['MIT']), now: new Date('2026-01-31T12:00:00Z') },
  );

  test('has what CycloneDX requires', () => {
    expectCycloneDx(bill);
    expect(bill.metadata).toMatchObject({ timestamp: '2026-01-31T12:00:00.000Z', component: { name: 'shop' } });
  });

  test('splits off the scope and keeps the licence in the form that it has', () => {
    expect(bill.components).toMatchObject([
      {
        group: '@scope',
        name: 'direct',
        purl: 'pkg:npm/%40scope/direct@2.0.0',
        licenses: [{ license: { id: 'MIT' } }],
        hashes: [
          { alg: 'SHA-1', content: '000102' },
          { alg: 'SHA-512', content: 'ff' },
        ],
        properties: [{ name: 'millrace:service', value: 'orders' }],
      },
      { name: 'choice', licenses: [{ expression: '(MIT OR WTFPL)' }] },
      { name: 'other', licenses: [{ license: { name: 'Ours' } }] },
    ]);
  });

  test('says who imports whom', () => {
    expect(bill.dependencies).toEqual([
      { ref: 'shop@1.0.0', dependsOn: ['pkg:npm/%40scope/direct@2.0.0'] },
      { ref: 'pkg:npm/%40scope/direct@2.0.0', dependsOn: ['pkg:npm/choice@2.0.0'] },
      { ref: 'pkg:npm/choice@2.0.0', dependsOn: [] },
      { ref: 'pkg:npm/other@2.0.0', dependsOn: [] },
    ]);
  });
});
