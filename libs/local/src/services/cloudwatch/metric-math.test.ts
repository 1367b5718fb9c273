import { describe, expect, test } from '@jest/globals';
import { parseExpression } from './metric-math.ts';

const evaluate = (text: string, values: Record<string, number> = {}) =>
  parseExpression(text).evaluate((id) => values[id]);

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
describe('metric math', () => {
  test.each<[string, number]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['7 - 2 - 1', 4],
    ['8 / 4 / 2', 1],
    ['2 * 3 ^ 2', 18],
    ['-a + 5', 2],
    ['1.5 * a', 4.5],
    ['a > 2', 1],
    ['a>=3', 1],
    ['a < 3', 0],
    ['a <= 2.9', 0],
    ['a == 3', 1],
    ['a != 3', 0],
    ['1 + 1 > 1 AND 0 < 1', 1],
    ['1 > 0 AND 0 > 1', 0],
    ['0 > 1 OR 1 AND 1', 1],
    ['1 OR 1 AND 0', 1],
    ['0 || 0 && 1', 0],
    ['IF(a > 2, 10, 20)', 10],
    ['IF(a > 3, 10, 20)', 20],
    ['FILL(missing, 4) + 1', 5],
    ['FILL(a, 4)', 3],
    ['IF(a > 0 AND FILL(missing, 0) < 1, 1, 0)', 1],
    ['IF(a > 0 AND FILL(b, 0) < 1, 1, 0)', 0],
  ])('%s is %d', (text, value) => {
    expect(evaluate(text, { a: 3, b: 2 })).toBe(value);
  });

  test.each([
    'missing',
    'missing + 1',
    '1 > missing',
    '-missing',
    'IF(missing, 1, 2)',
    'IF(a < 0, 1)',
    'a / 0',
    '0 / 0',
  ])('%s has no value', (text) => {
    expect(evaluate(text, { a: 3 })).toBeUndefined();
  });

  test('says what it refers to', () => {
    expect([...parseExpression('IF(a > 0, b, FILL(c1, 0))').references].sort()).toEqual(['a', 'b', 'c1']);
  });

  test.each([
    ['', 'it ends too early'],
    ['1 +', 'it ends too early'],
    ['(1', '")" is missing before "the end"'],
    ['1 2', '"2" is in the wrong place'],
    ['* 2', '"*" is in the wrong place'],
    ['a = 1', '"= 1" is not understood'],
    ['SEARCH("x")', '""x")" is not understood'],
    ['ANOMALY_DETECTION_BAND(a)', 'ANOMALY_DETECTION_BAND of 1 is not available'],
    ['IF(a)', 'IF of 1 is not available'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseExpression(text)).toThrow(problem);
  });
});
