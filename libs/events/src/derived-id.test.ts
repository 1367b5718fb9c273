import { expect, test } from '@jest/globals';
import { derivedId } from './derived-id.ts';

test('an id follows from its parts, today and tomorrow', () => {
  expect(derivedId(['partner-order', 'acme', 'A-1'])).toBe('ca21751c-aaad-8995-b436-5cd3333a67f4');
});

test('other parts have another id, also when they read alike', () => {
  const ids = [['a', 'b'], ['ab'], ['a', ['b']], ['b', 'a'], ['a', 'b', null]].map((parts) => derivedId(parts));
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
