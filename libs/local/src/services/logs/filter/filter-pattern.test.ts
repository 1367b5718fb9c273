import { describe, expect, it } from '@jest/globals';
import { parseFilterPattern } from './index.ts';

const matches = (pattern: string, messages: readonly string[]): string[] =>
  messages.filter(parseFilterPattern(pattern));

// Examples of https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
describe('terms', () => {
  const badRequest = '[ERROR 400] BAD REQUEST';
  const missing = '[ERROR 419] MISSING ARGUMENTS';
  const internal = '[ERROR 500] INTERNAL SERVER ERROR';
  const info = '[INFO] ARGUMENTS PARSED';
  const all = [badRequest, missing, internal, info];

  it.each([
    ['ERROR', [badRequest, missing, internal]],
    ['error', []],
    ['ERROR ARGUMENTS', [missing]],
    ['?REQUEST ?ARGUMENTS', [badRequest, missing, info]],
    ['ERROR -ARGUMENTS', [badRequest, internal]],
    ['-ERROR', [info]],
    ['"INTERNAL SERVER ERROR"', [internal]],
    ['-"BAD REQUEST" ERROR', [missing, internal]],
    // Beside other terms, those with a question mark are ignored.
    ['?INTERNAL ?BAD ARGUMENTS', [missing, info]],
    ['%\\[ERROR 4[01]\\d\\]%', [badRequest, missing]],
    ['" "', all],
    ['', all],
  ])('%s', (pattern, expected) => {
    expect(matches(pattern, all)).toEqual(expected);
  });

  it.each([
    ['Status: timeout', "Invalid character(s) in term ':'"],
    ['(x)', "Invalid character(s) in term '('"],
    ['a,b', "Invalid character(s) in term ','"],
    ['%(%', 'Invalid regex pattern: ('],
  ])('%s is refused', (pattern, message) => {
    expect(() => parseFilterPattern(pattern)).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException', message }),
    );
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
describe('JSON', () => {
  const trail = JSON.stringify({
    eventType: 'UpdateTrail',
    sourceIPAddress: '111.111.111.111',
    arrayKey: ['value', 'another value'],
    objectList: [
      { name: 'a', id: 1 },
      { name: 'b', id: 2 },
    ],
    SomeObject: null,
    isCold: true,
    'cluster.name': 'c',
    number: [1000],
    latency: 50,
    'detail-type': 'OrderPlaced.v1',
  });
  const users = JSON.stringify({
    user: { id: 1, email: 'John.Stiles@example.com' },
    users: [
      { id: 2, email: 'John.Doe@example.com' },
      { id: 3, email: 'Jane.Doe@example.com' },
    ],
    actions: ['GET', 'PUT', 'DELETE'],
    coordinates: [[0, 1, 2]],
  });

  it.each([
    '{ $.eventType = "UpdateTrail" }',
    '{$.eventType=UpdateTrail}',
    '{ $.eventType = "Update*" }',
    '{ $.eventType = %Trail% }',
    '{ $.sourceIPAddress != 123.123.* }',
    '{ $.arrayKey[0] = "value" }',
    '{ $.arrayKey[*] = %val.{2}% }',
    '{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }',
    '{ $.[\'cluster.name\'] = "c" }',
    '{ $.SomeObject IS NULL }',
    '{ $.isCold IS TRUE }',
    '{ $.SomeOtherObject NOT EXISTS }',
    '{ $.number[0] = 1e+3 }',
    '{ $.number[0] != 1e-3 }',
    '{ $.latency >= 50 && $.latency <= 50 }',
    '{ $.objectList[1].id > 1 }',
    '{ $.detail-type = "OrderPlaced.v1" }',
  ])('%s matches', (pattern) => {
    expect(parseFilterPattern(pattern)(trail)).toBe(true);
  });

  it.each([
    '{ $.eventType = "updatetrail" }',
    '{ $.arrayKey = "value" }',
    '{ $.latency < 50 }',
    '{ $.eventType > 1 }',
    '{ $.isCold IS FALSE }',
    '{ $.eventType NOT EXISTS }',
    // A property that is not there matches neither = nor !=.
    '{ $.nothing != "x" }',
    '{ $.constructor != "x" }',
  ])('%s does not match', (pattern) => {
    expect(parseFilterPattern(pattern)(trail)).toBe(false);
  });

  it('is combined with &&, || and parentheses, && first', () => {
    const test = (pattern: string) => parseFilterPattern(pattern)(users);
    expect(test('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }')).toBe(true);
    expect(
      test('{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "no" && $.actions[2] = "no" }'),
    ).toBe(true);
    expect(
      test('{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "no") && $.actions[2] = "no" }'),
    ).toBe(false);
    expect(test('{ ($.user.id = 2 && $.users[0].email = "no") || $.actions[2] = "GET" }')).toBe(false);
  });

  it('matches no message that is not JSON', () => {
    expect(parseFilterPattern('{ $.a NOT EXISTS }')('ERROR {')).toBe(false);
    expect(parseFilterPattern('{ $.a NOT EXISTS }')('{ broken')).toBe(false);
  });

  it.each([
    '{ $.a }',
    '{ $.a = }',
    '{ a = 1 }',
    '{ $.a = 1',
    '{ $.a = 1 } x',
    '{ $ = 1 }',
    '{ $.a > "x" && }',
    '{ $.a > abc }',
  ])('%s is refused', (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(expect.objectContaining({ code: 'InvalidParameterException' }));
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
describe('fields', () => {
  const request = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';

  it.each([
    ['[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]', true],
    ['[..., request =*.html*, status_code = 4*, bytes]', true],
    ['[ip, user, ..., bytes > 1500]', true],
    ['[ip, user, ..., bytes > 1600]', false],
    ['[ip, user, username, timestamp, request, status_code = 404 || status_code = 410, bytes]', true],
    ['[ip != 127.0.0.1 && ip != 10.0.0.1, user]', false],
    ['[w1=127.0.0.1, w2]', true],
    ['[a, b, c, d, e, f, g, h]', false],
  ])('%s: %s', (pattern, expected) => {
    expect(parseFilterPattern(pattern)(request)).toBe(expected);
  });

  it('matches words by their order', () => {
    const lines = ['INFO 12:00:00 GET', 'WARNING 12:00:02 Invalid', 'ERROR 12:00:02 Failed'];
    expect(matches('[w1=ERROR || w1=WARNING, w2]', lines)).toEqual(lines.slice(1));
    expect(matches('[w1!=ERROR && w1!=WARNING, w2]', lines)).toEqual(lines.slice(0, 1));
  });

  it.each(['[a, b', '[a = , b]', '[]', '[a b]', '[a=1] x'])('%s is refused', (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(expect.objectContaining({ code: 'InvalidParameterException' }));
  });
});
