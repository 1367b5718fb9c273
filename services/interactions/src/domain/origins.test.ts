import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { originCheck } from './origins.ts';

describe('views may come', () => {
  test('from the pages of the shop alone', () => {
    const mayComeFrom = originCheck('https://shop.example https://www.shop.example:8443');

    for (const origin of ['https://shop.example', 'https://www.shop.example:8443'])
      expect(mayComeFrom(origin)).toBe(true);
    for (const origin of [undefined, '', 'null', 'http://shop.example', 'https://shop.example.evil.example', 'any']) {
      expect(mayComeFrom(origin)).toBe(false);
    }
  });

  test('from anywhere on a laptop', () => {
    expect(originCheck('any')(undefined)).toBe(true);
  });

  test.each(['', '*', 'shop.example', 'https://shop.example/', 'https://a.example, https://b.example', 'null'])(
    'not when the setting is %j',
    (text) => expect(() => originCheck(text)).toThrow('MILLRACE_INTERACTION_ORIGINS'),
  );
});

test.each(['staging', 'prod'])('at %s they are the origins that may read answers', (stage) => {
  const stages = parse(readFileSync(new URL('../../../../serverless.stages.yml', import.meta.url), 'utf8'));

  expect(stages[stage].interactionOrigins).toBe(stages[stage].cors.allowedOrigins.join(' '));
});
