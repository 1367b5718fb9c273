import { expect, jest, test } from '@jest/globals';
import { defineEvent, type EmittableEvent } from '@millrace/events';
import { personal } from '@millrace/privacy/personal';
import { logger } from '@millrace/telemetry';
import {
  consumerSettings,
  envelopeText,
  lambdaContext,
  RecordingClient,
  sampleEvent,
  sqsEvent,
} from '@millrace/testing';
import * as z from 'zod';
import { consume, type RecordContext } from './index.ts';

const shared = { name: 'Knocked', service: 'door', category: 'domain', type: 'data' } as const;

const Knocked = defineEvent({
  ...shared,
  version: 1,
  summary: 'Someone knocks at the door.',
  data: z.object({ visitor: personal(z.string()), times: z.string() }),
  example: { visitor: 'Ada', times: '2' },
});

const KnockedV2 = defineEvent({
  ...shared,
  version: 2,
  summary: 'Someone knocked at the door, so many times.',
  data: z.object({ visitor: personal(z.string()), times: z.int() }),
  example: { visitor: 'Ada', times: 2 },
  upcasts: {
    from: Knocked,
    data: ({ visitor, times }) => {
      if (times === 'often') JSON.parse(visitor);
      return { visitor, times: Number(times) };
    },
  },
});

const settings = consumerSettings('butler.onKnocked', { replays: 'handle' });

interface DeadLetter {
  MessageBody: string;
  MessageAttributes: Record<string, { StringValue: string }>;
}

/** Delivers one event to a consumer of the newer version. */
async function deliver(event: EmittableEvent, text = envelopeText(event)) {
  const sqs = new RecordingClient();
  const handled: { detailType: string; times: number; inbox: RecordContext['inbox']; cause: RecordContext['cause'] }[] =
    [];
  const handler = consume(
    [KnockedV2],
    async ({ detailType, data: { times } }, { inbox, cause }) => {
      handled.push({ detailType, times, inbox, cause });
    },
    {},
    { sqs, settings },
  );
  const { batchItemFailures } = await handler(sqsEvent(text), lambdaContext());
  expect(batchItemFailures).toEqual([]);
  return { handled, text, letters: sqs.inputs<DeadLetter>('SendMessageCommand') };
}

test('an event of an older version is handled as the newer one, with its own identity', async () => {
  const event = sampleEvent(Knocked);
  const { metadata } = event.event;

  const { handled, letters } = await deliver(event);

  expect(letters).toEqual([]);
  expect(handled).toEqual([
    {
      detailType: 'Knocked.v2',
      times: 2,
      inbox: { consumer: 'butler.onKnocked', eventId: metadata.id },
      cause: expect.objectContaining({ correlationId: metadata.correlationId, causationId: metadata.id }),
    },
  ]);
});

test('and so is one that a replay of the archive brings', async () => {
  const event = sampleEvent(Knocked);

  const { handled } = await deliver(event, envelopeText(event).replace('{', '{"replay-name":"yesterday",'));

  expect(handled).toMatchObject([{ detailType: 'Knocked.v2', times: 2 }]);
});

test.each([
  ['that cannot be led up', 'often', /the upcaster threw/],
  ['that the newer contract does not take', 'thrice', /Knocked\.v2 breaks its contract: data\.times/],
])(
  'one %s is a dead letter at once, unchanged, and its reason says nothing of what is in it',
  async (_, times, reason) => {
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    }
    const level = logger.getLevelName();
    logger.setLogLevel('DEBUG');

    const { handled, letters, text } = await deliver(sampleEvent(Knocked, { visitor: 'Ludmila', times }));
    jest.restoreAllMocks();
    logger.setLogLevel(level);

    expect(handled).toEqual([]);
    expect(letters).toMatchObject([
      {
        MessageBody: text,
        MessageAttributes: {
          ErrorCode: { StringValue: 'UPCAST_FAILED' },
          ErrorMessage: { StringValue: expect.stringMatching(reason) },
          FailureKind: { StringValue: 'permanent' },
        },
      },
    ]);
    expect(lines.join()).toContain('UPCAST_FAILED');
    expect(JSON.stringify([letters[0]?.MessageAttributes, lines])).not.toContain('Ludmila');
  },
);

test('a consumer that knows both versions gets each as it was emitted', async () => {
  const seen: unknown[] = [];
  const handler = consume(
    [KnockedV2, Knocked],
    async (event) => {
      seen.push([event.detailType, event.data.times]);
    },
    {},
    { sqs: new RecordingClient(), settings },
  );

  await handler(sqsEvent(envelopeText(sampleEvent(Knocked)), envelopeText(sampleEvent(KnockedV2))), lambdaContext());

  expect(seen).toEqual([
    ['Knocked.v1', '2'],
    ['Knocked.v2', 2],
  ]);
});

test('the handler names its contracts, for packaging to compare with the template', () => {
  const contracts = [KnockedV2] as const;
  const handler = consume(contracts, async () => {}, {}, { sqs: new RecordingClient(), settings });
  expect(handler.contracts).toBe(contracts);
});
