import { expect, test } from '@jest/globals';
import { formatFunctionLog } from './function-log.ts';

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => ({
  functionName: 'shop-sign',
  requestId: 'r',
  stream,
  line: text,
  timestamp: 0,
});
const warning = JSON.stringify({
  level: 'WARN',
  message: 'Not emitted',
  service: 'shop',
  function_name: 'shop-sign',
  attempt: 2,
  error: { name: 'EmitFailedError', message: 'bus is gone', stack: '…' },
});

test.each([
  ['a warning, with its error', line(warning), '  shop-sign WARN Not emitted (EmitFailedError: bus is gone)'],
  ['plain text on stderr', line('Segmentation fault', 'stderr'), '  shop-sign Segmentation fault'],
  ['no information', line('{"level":"INFO","message":"hello"}'), undefined],
  ['no plain text on stdout', line('hello'), undefined],
  ['no metrics', line('{"_aws":{},"level":"ERROR"}'), undefined],
  ['a line that only begins like JSON', line('{oops', 'stderr'), '  shop-sign {oops'],
])('quiet shows %s', (_name, logged, expected) => {
  expect(formatFunctionLog(logged, false)).toBe(expected);
});

test.each([
  ['all fields', line(warning), '  shop-sign WARN Not emitted attempt=2 (EmitFailedError: bus is gone)'],
  ['information', line('{"level":"INFO","message":"hello","order":{"id":1}}'), '  shop-sign INFO hello order={"id":1}'],
  ['plain text', line('hello'), '  shop-sign hello'],
  ['no metrics', line('{"_aws":{}}'), undefined],
  ['no empty lines', line(' '), undefined],
])('verbose shows %s', (_name, logged, expected) => {
  expect(formatFunctionLog(logged, true)).toBe(expected);
});
