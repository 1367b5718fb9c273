import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { decompress } from './payload.ts';
import { dictionaries, LATEST } from './payload-dictionary.ts';

/** Of the bytes of each dictionary. Add a line for a new one; never change a line. */
const digests: Readonly<Record<number, string>> = {
  1: 'a61272a6544e8c27e171205239d16ba498e09a84a4afd5a43686e38d9a990243',
};

test('a dictionary never changes: what was stored with it can be read with it alone', () => {
  const actual = Object.entries(dictionaries).map(([number, bytes]) => [
    number,
    createHash('sha256').update(bytes).digest('hex'),
  ]);
  expect(Object.fromEntries(actual)).toEqual(digests);
  expect(digests).toHaveProperty(String(LATEST));
});

test('a row of an earlier release is still read', () => {
  const zstd = Buffer.from('KLUv/SA5hQAAIDAxIn0DADhCQABFiL/LQA==', 'base64');
  expect(JSON.parse(decompress({ zstd, dictionary: 1 }, 'The row'))).toEqual({
    type: 'OrderConfirmed',
    trackingNumber: 'MR0000000001',
  });
});
