import { describe, expect, test } from '@jest/globals';
import { formatFunctionLog } from './function-log.ts';

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => ({
  functionName: 'shop-sign',
  requestId: 'r',
  stream,
  line: text,
  timestamp: 0,
});

const entry = (level: string) =>
  JSON.stringify({
    level,
    message: 'Not emitted',
    timestamp: '2026-01-01T00:00:00.000Z',
    service: 'shop',
    function_name: 'shop-sign',
    event_id: 'e-1',
    subject: 'order-1',
    correlation_id: 'c-1',
    traceparent: '00-1-2-01',
    attempt: 2,
    error: {
      name: 'EmitFailedError',
      location: '/work/shop/src/relay.ts:7',
      message: 'bus is gone',
      stack: [
        'EmitFailedError: bus is gone',
        '    at emit (/work/shop/src/relay.ts:7:9)',
        '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
        '    at async handler (file:///work/shop/src/handler.ts:3:1)',
      ].join('\n'),
      cause: { name: 'Error', message: 'no route', location: '/work/shop/src/socket.ts:1' },
    },
  });

const thrown = (requestId: string, error: object) =>
  ['2026-01-01T00:00:00.000Z', requestId, 'ERROR', 'Invoke Error ', JSON.stringify(error)].join('\t');

describe('quiet', () => {
  const quiet = { verbose: false, root: '/work/shop' };

  test('shows a warning with where it comes from and whose it is', () => {
    expect(formatFunctionLog(line(entry('WARN')), quiet)).toBe(
      `  shop-sign WARN Not emitted (EmitFailedError: bus is gone)
      at src/relay.ts:7
      event_id=e-1 subject=order-1 correlation_id=c-1 attempt=2
      caused by (Error: no route) at src/socket.ts:1`,
    );
  });

  test('shows an error with its stack, without what is not its own', () => {
    expect(formatFunctionLog(line(entry('ERROR')), quiet)).toBe(
      `  shop-sign ERROR Not emitted (EmitFailedError: bus is gone)
      at src/relay.ts:7
      event_id=e-1 subject=order-1 correlation_id=c-1 attempt=2
        at emit (src/relay.ts:7:9)
        at async handler (src/handler.ts:3:1)
      caused by (Error: no route) at src/socket.ts:1`,
    );
  });

  test('shows what Lambda says about an error that nobody caught', () => {
    const error = {
      errorType: 'TypeError',
      errorMessage: 'no rows',
      stack: [
        'TypeError: no rows',
        '    at read (/work/shop/src/read.ts:4:2)',
        '    at run (/x/libs/local/src/lambda/worker.ts:1:1)',
      ],
    };
    expect(formatFunctionLog(line(thrown('r-1', error), 'stderr'), quiet)).toBe(
      `  shop-sign ERROR Invoke Error (TypeError: no rows)
      at src/read.ts:4
      request_id=r-1
        at read (src/read.ts:4:2)`,
    );
  });

  test.each([
    ['    at read (/my shop/src/read.ts:4:2)', 'src/read.ts:4'],
    ['    at /my shop/src/read.ts:4:2', 'src/read.ts:4'],
    ['    at read (file:///my%20shop/src/read.ts:4:2)', 'src/read.ts:4'],
    ['    at async Promise.all (index 0)', undefined],
    ['    at async /my shop/src/read.ts:4:2', 'src/read.ts:4'],
    ['    at Object.<anonymous> (file:///elsewhere/read.ts:4:2)', 'file:///elsewhere/read.ts:4'],
  ])('finds the place in %j', (frame, place) => {
    const error = { errorType: 'TypeError', errorMessage: 'no rows', stack: [frame] };
    const [, second] =
      formatFunctionLog(line(thrown('r-1', error)), { verbose: false, root: '/my shop' })?.split('\n') ?? [];
    expect(second).toBe(place === undefined ? '      request_id=r-1' : `      at ${place}`);
  });

  test('shows why a function cannot start, in one line', () => {
    const error = { errorType: 'Runtime.HandlerNotFound', errorMessage: 'sign.handlr is undefined', stack: [] };
    expect(formatFunctionLog(line(thrown('undefined', error), 'stderr'), quiet)).toBe(
      '  shop-sign ERROR Invoke Error (Runtime.HandlerNotFound: sign.handlr is undefined)',
    );
  });

  test.each([
    ['plain text on stderr', line('Segmentation fault', 'stderr'), '  shop-sign Segmentation fault'],
    [
      'text of several lines',
      line('exit status 3\nRuntime.ExitError', 'stderr'),
      '  shop-sign exit status 3\n      Runtime.ExitError',
    ],
    ['an error that is text', line('{"level":"ERROR","message":"no","error":"x"}'), '  shop-sign ERROR no (x)'],
    ['no information', line('{"level":"INFO","message":"hello"}'), undefined],
    ['no plain text on stdout', line('hello'), undefined],
    ['no metrics', line('{"_aws":{},"level":"ERROR"}'), undefined],
    ['a line that only begins like JSON', line('{oops', 'stderr'), '  shop-sign {oops'],
  ])('shows %s', (_name, logged, expected) => {
    expect(formatFunctionLog(logged, quiet)).toBe(expected);
  });
});

describe('verbose', () => {
  const verbose = { verbose: true, root: '/work/shop' };

  test('shows the stack and the trace of a warning, too', () => {
    const shown = formatFunctionLog(line(entry('WARN')), verbose);
    expect(shown).toContain('at async handler (src/handler.ts:3:1)');
    expect(shown).toContain('traceparent=00-1-2-01');
  });

  test.each([
    [
      'information',
      line('{"level":"INFO","message":"hello","order":{"id":1}}'),
      '  shop-sign INFO hello\n      order={"id":1}',
    ],
    ['plain text', line('hello'), '  shop-sign hello'],
    ['no metrics', line('{"_aws":{}}'), undefined],
    ['no empty lines', line(' '), undefined],
  ])('shows %s', (_name, logged, expected) => {
    expect(formatFunctionLog(logged, verbose)).toBe(expected);
  });
});

test('raw shows an entry as it stands in the log group', () => {
  const raw = { verbose: false, raw: true, root: '/work/shop' };
  expect(formatFunctionLog(line(entry('ERROR')), raw)).toBe(`  shop-sign ${entry('ERROR')}`);
  expect(formatFunctionLog(line(entry('INFO')), raw)).toBeUndefined();
});
