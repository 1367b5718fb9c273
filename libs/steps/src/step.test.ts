import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DuplicateEventError, TransientError } from '@millrace/errors';
import { timeLeft } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import { lambdaContext } from '@millrace/testing';
import * as z from 'zod';
import { named, readStepFailure, StepRefusal, step } from './index.ts';

class ShelfEmpty extends StepRefusal {
  constructor() {
    super('SHELF_EMPTY', 'There is nothing on the shelf');
  }
}

const contract = { name: 'shop.take', input: z.object({ sku: z.string().min(1) }), output: z.unknown() };
const input = { idempotencyKey: 'checkout-1:Take', cause: { correlationId: 'correlation-1' }, sku: 'FLOUR' };
const failing = (error: unknown) =>
  step(contract, async () => {
    throw error;
  })(input, lambdaContext());

describe('a step', () => {
  test('gets its own input, the cause, and the key of its execution as inbox mark', async () => {
    const handler = step(contract, async (own, context) => ({ own, context }));

    expect(await handler(input, lambdaContext())).toEqual({
      own: { sku: 'FLOUR' },
      context: {
        cause: input.cause,
        inbox: { consumer: 'shop.take', eventId: 'checkout-1:Take' },
        lambda: expect.objectContaining({ awsRequestId: expect.any(String) }),
      },
    });
  });

  test('retries what is busy until there is just time left to answer', async () => {
    const handler = step(contract, async () => timeLeft());

    expect(await handler(input, lambdaContext(8_000))).toBe(7_500);
  });

  test.each([
    ['sku', { ...input, sku: '' }],
    ['idempotencyKey', { ...input, idempotencyKey: undefined }],
    ['cause.correlationId', { ...input, cause: {} }],
    ['not an object', 'text'],
  ])('refuses an input that is not valid and names %s, but no value', async (field, event) => {
    const handler = step(contract, async () => 'done');

    await expect(handler(event, lambdaContext())).rejects.toMatchObject({
      name: 'InvalidStepInput',
      message: expect.stringMatching(new RegExp(`: .*${field}`)),
    });
  });

  test('refuses by the name of its error class', async () => {
    await expect(failing(new ShelfEmpty())).rejects.toMatchObject({ name: 'ShelfEmpty', code: 'SHELF_EMPTY' });
  });

  test('tells its caller the name of its error in the message too, as some orchestrators pass on the message alone', async () => {
    const error = await failing(new ShelfEmpty()).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ message: '[ShelfEmpty] There is nothing on the shelf' });
    expect(readStepFailure((error as Error).message)).toEqual({
      ...{ name: 'ShelfEmpty', message: 'There is nothing on the shelf' },
    });
    expect(named(error)).toMatchObject({ message: '[ShelfEmpty] There is nothing on the shelf' });
  });

  test.each([
    '2026-11-30T10:00:00.000Z 0b5f Task timed out after 10.00 seconds',
    'RequestId: 0b5f Error: Runtime exited with error: signal: killed',
  ])('that Lambda ended has no name: %s', (message) => {
    expect(readStepFailure(message)).toEqual({ name: undefined, message });
  });

  test.each([
    ['a transient error', new TransientError('LOST_RACE', 'later')],
    ['a throttled table', Object.assign(new Error('slow'), { name: 'ThrottlingException' })],
    ['another run of it at the same moment', new DuplicateEventError('shop.take', 'checkout-1:Take')],
  ])('is unavailable for %s', async (_, error) => {
    await expect(failing(error)).rejects.toMatchObject({ name: 'StepUnavailable', cause: error });
  });

  test('fails with the error of a bug as it is', async () => {
    await expect(failing(new TypeError('undefined is not a function'))).rejects.toMatchObject({ name: 'TypeError' });
  });

  describe('whose caller puts personal data where an id belongs', () => {
    const level = logger.getLevelName();
    beforeEach(() => logger.setLogLevel('INFO'));
    afterEach(() => {
      logger.setLogLevel(level);
      jest.restoreAllMocks();
    });

    test('logs neither', async () => {
      const lines: string[] = [];
      for (const stream of [process.stdout, process.stderr]) {
        jest.spyOn(stream, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
      }
      const broken = step(contract, async () => {
        throw new TypeError('undefined is not a function');
      });

      const event = { ...input, idempotencyKey: 'ada@example.com', cause: { correlationId: 'ada@example.com' } };
      await expect(broken(event, lambdaContext())).rejects.toMatchObject({ name: 'TypeError' });

      expect(lines.join()).toContain('Step failed');
      expect(lines.join()).not.toContain('ada@example.com');
    });
  });
});
