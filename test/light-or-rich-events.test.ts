import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/light-or-rich-events.md'), 'utf8');
const contracts = await loadContracts(serviceDirectories(root));

/** `884 bytes, 414 of them data` or `676, 149` */
const rows = [...page.matchAll(/^\| `(\w+\.v\d+)` \| ([\d,]+)(?: bytes)?, (\d+)[^|]*\| (\d+), (\d+) \|/gm)];

/** Bytes of `detail`, and of the data in it. */
function sizesOf(envelope: string): [detail: number, data: number] {
  const { detail } = JSON.parse(envelope) as { detail: { data: unknown } };
  return [Buffer.byteLength(JSON.stringify(detail)), Buffer.byteLength(JSON.stringify(detail.data))];
}

test('the page has a row for several events', () => {
  expect(rows.length).toBeGreaterThan(4);
});

test.each(rows.map(([, name = '', ...sizes]) => [name, sizes.map(Number)] as const))(
  '%s has the sizes that docs/light-or-rich-events.md says',
  (name, sizes) => {
    const contract = contracts.get(name);
    if (!contract) throw new Error(`There is no contract ${name}`);
    const event = sampleEvent(contract);
    // A pseudonym has 32 characters.
    const variant = event.analyticsVariant(() => '0'.repeat(32));
    expect([...sizesOf(envelopeText(event)), ...sizesOf(envelopeText(variant as never))]).toEqual(sizes);
  },
);
