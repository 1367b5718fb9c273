import { describe, expect, test } from '@jest/globals';
import { readEndpoint, readNumber, readStage, readTime, UsageError } from './index.ts';

describe('readStage', () => {
  test('takes lower-case letters and digits', () => {
    expect(readStage('eu2')).toBe('eu2');
  });

  test.each(['', 'Prod', '2eu', 'dev-eu', 'dev eu'])('refuses "%s"', (value) => {
    expect(() => readStage(value)).toThrow(
      new UsageError(`--stage must be lower-case letters and digits, not "${value}"`),
    );
  });
});

describe('readEndpoint', () => {
  test.each([
    [undefined, undefined],
    ['http://127.0.0.1:4566/', 'http://127.0.0.1:4566'],
    ['https://aws.example/path', 'https://aws.example'],
  ])('makes %s to %s', (value, endpoint) => {
    expect(readEndpoint(value)).toBe(endpoint);
  });

  test.each(['127.0.0.1:4566', 'localhost', 'ftp://aws.example', ''])('refuses "%s"', (value) => {
    expect(() => readEndpoint(value)).toThrow('--endpoint must be a URL like http://127.0.0.1:4566');
  });
});

describe('readNumber', () => {
  test.each([
    [undefined, undefined],
    ['1', 1],
    ['2.5', 2.5],
  ])('makes %s to %s', (value, number) => {
    expect(readNumber('rate', value, { minimum: 1 })).toBe(number);
  });

  test.each(['0.9', '-1', 'many', '1e3', '', ' 2'])('refuses "%s"', (value) => {
    expect(() => readNumber('rate', value, { minimum: 1 })).toThrow(
      new UsageError(`--rate must be a number of at least 1, not "${value}"`),
    );
  });

  test('takes no fraction where a whole number is wanted', () => {
    expect(() => readNumber('limit', '1.5', { minimum: 0, whole: true })).toThrow(
      '--limit must be a whole number of at least 0, not "1.5"',
    );
  });
});

describe('readTime', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  test.each([
    ['2h', '2026-01-01T10:00:00.000Z'],
    ['2025-12-31T00:00:00Z', '2025-12-31T00:00:00.000Z'],
    ['2025-12-31T02:00:00+02:00', '2025-12-31T00:00:00.000Z'],
  ])('makes %s to %s', (text, time) => {
    expect(readTime('from', text, now).toISOString()).toBe(time);
  });

  test.each(['yesterday', '12', '2025-13-01', ''])('refuses "%s"', (text) => {
    expect(() => readTime('from', text, now)).toThrow('--from must be a time like');
  });
});
