import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { logger } from '@millrace/telemetry';
import { envelopeText, lambdaContext, RecordingClient, sampleEvent, sqsEvent, sqsRecord } from '@millrace/testing';
import { Knocked, settings } from '../fixtures/knocked.ts';
import { type ConsumerMiddleware, consume } from './index.ts';

/** Delivers knocks to a consumer with these middlewares, which fails for `eve`. */
async function deliver(middleware: readonly ConsumerMiddleware[], ...visitors: string[]) {
  const steps: string[] = [];
  const handler = consume(
    [Knocked],
    async ({ data: { visitor } }) => {
      steps.push(visitor);
      if (visitor === 'eve') throw new Error('go away');
    },
    { middleware, concurrency: 1 },
    { sqs: new RecordingClient(), settings },
  );
  const records = visitors.map((visitor) => sqsRecord(envelopeText(sampleEvent(Knocked, { visitor }))));
  const answer = handler(sqsEvent(...records), lambdaContext());
  const failed = answer.then(({ batchItemFailures }) =>
    batchItemFailures.map(
      ({ itemIdentifier }) => visitors[records.findIndex((each) => each.messageId === itemIdentifier)],
    ),
  );
  return { steps, failed };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a middleware of a consumer', () => {
  test('runs around the batch, the first one outermost, and sees the answer', async () => {
    const steps: string[] = [];
    const named = (name: string): ConsumerMiddleware => ({
      before: ({ event }) => void steps.push(`${name} before ${event.Records.length}`),
      after: ({ response }) => void steps.push(`${name} after ${response?.batchItemFailures.length}`),
    });

    const { failed } = await deliver([named('outer'), named('inner')], 'ada', 'eve');

    expect(await failed).toEqual(['eve']);
    expect(steps).toEqual(['outer before 2', 'inner before 2', 'inner after 1', 'outer after 1']);
  });

  test('that throws before the handler makes all records come again, unhandled, and is logged', async () => {
    const log = jest.spyOn(logger, 'error').mockReturnValue(undefined);
    const before = () => {
      throw new Error('no settings');
    };

    const { steps, failed } = await deliver([{ before }], 'ada', 'bob');

    expect(await failed).toEqual(['ada', 'bob']);
    expect(steps).toEqual([]);
    expect(log).toHaveBeenCalledWith(
      'The batch or a middleware failed',
      expect.objectContaining({ error: expect.objectContaining({ message: 'no settings' }) }),
    );
  });

  test('that throws after the handler changes nothing of the answer, and is logged', async () => {
    const log = jest.spyOn(logger, 'error').mockReturnValue(undefined);
    const after = () => {
      throw new Error('no report');
    };

    const { failed } = await deliver([{ after }], 'ada', 'eve');

    expect(await failed).toEqual(['eve']);
    expect(log).toHaveBeenCalledTimes(1);
  });

  test('changes nothing of the answer by what it returns', async () => {
    const { failed } = await deliver([{ after: () => ({ batchItemFailures: [] }) }], 'ada', 'eve');

    expect(await failed).toEqual(['eve']);
  });

  test('cannot acknowledge records that were not handled', async () => {
    const { steps, failed } = await deliver([{ before: () => ({ batchItemFailures: [] }) }], 'ada');

    await expect(failed).rejects.toThrow('A middleware has answered in place of the consumer');
    expect(steps).toEqual([]);
  });
});
