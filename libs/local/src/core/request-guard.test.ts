import { describe, expect, test } from '@jest/globals';
import { findGuardRefusal } from './request-guard.ts';

const PAGE = 'https://shop.example';
const codeOf = (headers: Record<string, string | string[]>, port = 4566): string | undefined =>
  findGuardRefusal(
    Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value])),
    port,
    (origin) => origin === PAGE,
  )?.code;

describe('the Host', () => {
  test.each(['127.0.0.1:4566', 'localhost:4566', 'LocalHost:4566', '[::1]:4566', 'my-bucket.s3.localhost:4566'])(
    '%s may come in',
    (Host) => {
      expect(codeOf({ Host })).toBeUndefined();
    },
  );

  test.each([
    'evil.example:4566',
    'evil.example',
    '127.0.0.1',
    '127.0.0.1:3000',
    '127.0.0.1.evil.example:4566',
    'localhost.evil.example:4566',
    'evil-localhost:4566',
    'evil.example@localhost:4566',
    'localhost.:4566',
    '.localhost:4566',
    '0.0.0.0:4566',
    '127.1:4566',
    '[::]:4566',
    '127.0.0.1:4566, evil.example',
    ' ',
    '',
  ])('"%s" is refused', (host) => {
    expect(codeOf({ host })).toBe('FOREIGN_HOST');
  });

  test('is refused when it is missing or comes twice', () => {
    expect(codeOf({})).toBe('FOREIGN_HOST');
    expect(codeOf({ host: ['127.0.0.1:4566', 'evil.example'] })).toBe('FOREIGN_HOST');
  });

  test('needs no port on port 80', () => {
    expect(codeOf({ host: 'localhost' }, 80)).toBeUndefined();
  });
});

describe('the page', () => {
  const host = '127.0.0.1:4566';

  test.each([
    ['no browser', {}],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['a page of the port itself', { 'sec-fetch-site': 'same-origin' }],
    ['a configured origin', { origin: PAGE, 'sec-fetch-site': 'cross-site' }],
  ])('of %s may send a request', (_name, headers) => {
    expect(codeOf({ host, ...headers })).toBeUndefined();
  });

  test.each([
    ['FOREIGN_ORIGIN', { origin: 'https://evil.example' }],
    ['FOREIGN_ORIGIN', { origin: 'null' }],
    ['FOREIGN_ORIGIN', { origin: '' }],
    ['FOREIGN_ORIGIN', { Origin: [PAGE, 'https://evil.example'] }],
    ['FOREIGN_ORIGIN', { origin: 'http://127.0.0.1:4566' }],
    ['CROSS_SITE_REQUEST', { 'Sec-Fetch-Site': 'cross-site' }],
    ['CROSS_SITE_REQUEST', { 'sec-fetch-site': 'same-site' }],
    ['CROSS_SITE_REQUEST', { 'sec-fetch-site': ['none', 'cross-site'] }],
    ['CROSS_SITE_REQUEST', { 'sec-fetch-site': 'news' }],
  ])('is refused as %s for %j', (code, headers) => {
    expect(codeOf({ host, ...headers })).toBe(code);
  });
});
