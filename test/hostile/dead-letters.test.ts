import { expect, test } from '@jest/globals';
import { flawOf, type ReceivedMessage } from './dead-letters.ts';

const text = (StringValue: string) => ({ DataType: 'String', StringValue });
const reason = {
  ErrorCode: text('SCHEMA_VIOLATION'),
  ErrorMessage: text('x'),
  FailureKind: text('permanent'),
  Consumer: text('x'),
  EventDigest: text('x'),
};
const letter = (MessageAttributes: ReceivedMessage['MessageAttributes'] = {}, Body = '{}'): ReceivedMessage => ({
  MessageId: '1',
  ReceiptHandle: '1',
  Body,
  MessageAttributes,
});

test('a letter with its reason is sound', () => {
  expect(flawOf(letter(reason))).toBeUndefined();
});

test('a letter whose body leaves no room for a reason is sound without', () => {
  expect(flawOf(letter({}, 'x'.repeat(1024 * 1024)))).toBeUndefined();
});

test.each<[string, ReceivedMessage, string]>([
  ['no reason', letter(), 'it lacks ErrorCode'],
  ['a part of it', letter({ ...reason, ErrorMessage: text('') }), 'it lacks ErrorMessage'],
  ["a sender's code", letter({ ...reason, ErrorCode: text('FORGED') }), 'its ErrorCode is "FORGED"'],
  ['a code that is none', letter({ ...reason, ErrorCode: text('a b') }), 'its ErrorCode is "a b"'],
  ['a character that SQS refuses', letter({ ...reason, ErrorMessage: text('\ud800') }), 'the attribute ErrorMessage'],
  ['too many bytes', letter(reason, 'x'.repeat(1024 * 1024)), 'it has 1048'],
  [
    'too many attributes',
    letter({ ...reason, ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, text('x')])) }),
    'it has 11 attributes',
  ],
])('a letter with %s is not', (_, message, flaw) => {
  expect(flawOf(message)).toContain(flaw);
});
