import { describe, expect, test } from '@jest/globals';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { RecordingClient, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import {
  defineEvent,
  EmitFailedError,
  EmittableEvent,
  EventBridgeEmitter,
  type EventBridgeEmitterOptions,
  entrySize,
  InMemoryEmitter,
} from './index.ts';

const MAX_BYTES = eventBridgeLimits.bytesPerPut;

const Noted = defineEvent({
  name: 'Noted',
  version: 1,
  service: 'notes',
  category: 'domain',
  type: 'data',
  summary: 'Someone wrote something down.',
  data: z.object({ text: z.string() }),
  example: { text: 'short' },
});

interface Call {
  Entries: { EventBusName: string; Source: string; DetailType: string; Detail: string; Time: Date }[];
}

function events(count: number): EmittableEvent[] {
  return Array.from({ length: count }, (_, index) => sampleEvent(Noted, { text: `note ${index}` }));
}

/** An event whose entry has exactly this many bytes, as AWS counts them. */
function eventOfSize(bytes: number, character = 'x'): EmittableEvent {
  const empty = entrySize(sampleEvent(Noted, { text: '' }, { id: 'id', correlationId: 'id' }));
  const room = bytes - empty;
  const width = Buffer.byteLength(character);
  const text = character.repeat(Math.floor(room / width)) + 'x'.repeat(room % width);
  return sampleEvent(Noted, { text }, { id: 'id', correlationId: 'id' });
}

const textOf = (event: EmittableEvent | { Detail: string }) =>
  JSON.parse('Detail' in event ? event.Detail : event.detail).data.text;

/** EventBridge that answers each entry by `answer`; pauses are recorded, not waited for. */
function setUp(
  answer: (text: string, call: number) => { EventId?: string; ErrorCode?: string; ErrorMessage?: string },
  options: Partial<EventBridgeEmitterOptions> = {},
) {
  const pauses: number[] = [];
  let call = 0;
  const client = new RecordingClient((_, input) => {
    call += 1;
    const Entries = (input as Call).Entries.map((entry) => answer(textOf(entry), call));
    return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode).length, Entries };
  });
  const emitter = new EventBridgeEmitter({
    client,
    busName: 'bus',
    random: () => 0.5,
    sleep: async (ms) => {
      pauses.push(ms);
    },
    ...options,
  });
  const sizes = () => client.inputs<Call>('PutEventsCommand').map(({ Entries }) => Entries.length);
  const texts = () => client.inputs<Call>('PutEventsCommand').map(({ Entries }) => Entries.map(textOf));
  return { client, emitter, pauses, sizes, texts };
}

const accepted = () => ({ EventId: 'id' });
const failed = (ErrorCode = 'InternalFailure') => ({ ErrorCode, ErrorMessage: 'no' });

async function unsentBy(emitting: Promise<void>): Promise<EmitFailedError> {
  const error = await emitting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmitFailedError);
  return error as EmitFailedError;
}

describe('one call', () => {
  test('puts each event on the bus as it is', async () => {
    const { client, emitter } = setUp(accepted);
    const [event] = events(1);

    await emitter.emit(event ? [event] : []);

    expect(client.inputs('PutEventsCommand')).toEqual([
      {
        Entries: [
          {
            EventBusName: 'bus',
            Source: 'millrace.notes',
            DetailType: 'Noted.v1',
            Detail: event?.detail,
            Time: new Date(event?.time ?? ''),
          },
        ],
      },
    ]);
  });

  test('is not made for no events', async () => {
    const { client, emitter } = setUp(accepted);

    await emitter.emit([]);

    expect(client.sent).toEqual([]);
  });
});

describe('chunks', () => {
  test.each([
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]],
  ])('%i events go in calls of %j', async (count, expected) => {
    const { emitter, sizes, texts } = setUp(accepted);

    await emitter.emit(events(count));

    expect(sizes()).toEqual(expected);
    expect(texts().flat()).toEqual(events(count).map(textOf));
  });

  test('counts 14 bytes for the time and the UTF-8 bytes of the rest', () => {
    const event = sampleEvent(Noted, { text: '€' });

    expect(entrySize(event)).toBe(14 + 'millrace.notes'.length + 'Noted.v1'.length + Buffer.byteLength(event.detail));
    expect(entrySize(event)).toBe(entrySize(sampleEvent(Noted, { text: 'abc' })));
  });

  test.each(['x', '€', '😀'])('fill a call to the last byte and no further (%s)', async (character) => {
    const half = eventOfSize(MAX_BYTES / 2, character);
    expect(entrySize(half)).toBe(MAX_BYTES / 2);
    const fits = setUp(accepted);
    const exceeds = setUp(accepted);

    await fits.emitter.emit([half, half]);
    await exceeds.emitter.emit([half, eventOfSize(MAX_BYTES / 2 + 1, character)]);

    expect(fits.sizes()).toEqual([2]);
    expect(exceeds.sizes()).toEqual([1, 1]);
  });

  test('an event of the maximal size goes alone; one that is a byte larger is not tried and keeps nothing back', async () => {
    const { emitter, sizes, pauses } = setUp(accepted);
    const largest = eventOfSize(MAX_BYTES);
    const tooLarge = eventOfSize(MAX_BYTES + 1);
    const [first, last] = events(2) as [EmittableEvent, EmittableEvent];

    const error = await unsentBy(emitter.emit([first, tooLarge, largest, last]));

    expect(sizes()).toEqual([1, 1, 1]);
    expect(pauses).toEqual([]);
    expect(error.unsent).toEqual([
      {
        event: tooLarge,
        errorCode: 'EventTooLarge',
        errorMessage: expect.stringContaining('1048577 bytes'),
        refused: true,
      },
    ]);
  });

  test('an entry with a text that EventBridge refuses keeps nothing back either', async () => {
    const { entry } = sampleEvent(Noted, { text: 'long' });
    const fits = new EmittableEvent({ ...entry, detailType: 'x'.repeat(128) }, { resources: ['x'.repeat(2048)] });
    const longType = new EmittableEvent({ ...entry, detailType: 'x'.repeat(129) });
    const longResource = new EmittableEvent(entry, { resources: ['arn', 'x'.repeat(2049)] });
    const longTrace = new EmittableEvent(entry, { traceHeader: 'x'.repeat(501) });
    const { emitter, texts } = setUp(accepted);

    const error = await unsentBy(emitter.emit([longType, longResource, fits, longTrace]));

    expect(texts()).toEqual([['long']]);
    expect(error.unsent).toEqual(
      [
        { event: longType, errorMessage: 'DetailType has 129 characters; at most 128 are allowed' },
        { event: longResource, errorMessage: 'Resources[1] has 2049 characters; at most 2048 are allowed' },
        { event: longTrace, errorMessage: 'TraceHeader has 501 characters; at most 500 are allowed' },
      ].map((refusal) => ({ ...refusal, errorCode: 'InvalidArgument', refused: true })),
    );
  });
});

describe('retries', () => {
  test('only the entries that failed', async () => {
    const { emitter, texts } = setUp((text, call) => (call === 1 && /[135]/.test(text) ? failed() : accepted()));

    await emitter.emit(events(6));

    expect(texts().slice(1)).toEqual([['note 1', 'note 3', 'note 5']]);
  });

  test('failures of several chunks together', async () => {
    const { emitter, sizes } = setUp((_, call) => (call <= 3 ? failed('ThrottlingException') : accepted()));

    await emitter.emit(events(23));

    expect(sizes()).toEqual([10, 10, 3, 10, 10, 3]);
  });

  test('pauses between zero and a bound that doubles up to a maximum, with full jitter', async () => {
    for (const [random, expected] of [
      [0, [0, 0, 0, 0, 0]],
      [0.5, [25, 50, 100, 150, 150]],
      [1, [50, 100, 200, 300, 300]],
    ] as const) {
      const { emitter, pauses } = setUp(() => failed(), { random: () => random, maxAttempts: 6, maxDelayMs: 300 });

      await unsentBy(emitter.emit(events(1)));

      expect(pauses).toEqual(expected);
    }
  });

  test('not what no retry can help', async () => {
    const { emitter, texts } = setUp((text, call) => {
      if (text === 'note 0') return failed('NotAuthorizedForSourceException');
      return call === 1 ? failed('InternalFailure') : accepted();
    });

    const error = await unsentBy(emitter.emit(events(2)));

    expect(texts()).toEqual([['note 0', 'note 1'], ['note 1']]);
    expect(error.unsent.map(({ event, errorCode }) => [textOf(event), errorCode])).toEqual([
      ['note 0', 'NotAuthorizedForSourceException'],
    ]);
  });

  test.each(['AccessDeniedException', 'InvalidArgument', 'MalformedDetail', 'ValidationException'])(
    '%s is final',
    async (code) => {
      const { emitter, sizes } = setUp(() => failed(code));

      await unsentBy(emitter.emit(events(1)));

      expect(sizes()).toEqual([1]);
    },
  );
});

describe('a call that is refused as a whole', () => {
  /** EventBridge that refuses every call with one of these notes in it. */
  const refusing = (name: string, ...notes: string[]) => {
    const sizes: number[] = [];
    const client = new RecordingClient((_, input) => {
      const { Entries } = input as Call;
      sizes.push(Entries.length);
      if (Entries.some((entry) => notes.includes(textOf(entry)))) throw Object.assign(new Error('no'), { name });
      return { Entries: Entries.map(accepted) };
    });
    return { emitter: new EventBridgeEmitter({ client, busName: 'bus', sleep: async () => {} }), sizes };
  };
  const outcomes = ({ unsent }: EmitFailedError) =>
    unsent.map(({ event, errorCode, refused }) => [textOf(event), errorCode, refused]);

  test.each(['ValidationException', 'AccessDeniedException'])(
    'with %s is made again for each entry, and only the one at fault is refused',
    async (name) => {
      const { emitter, sizes } = refusing(name, 'note 1');

      expect(outcomes(await unsentBy(emitter.emit(events(3))))).toEqual([['note 1', name, true]]);
      expect(sizes).toEqual([3, 1, 1, 1]);
    },
  );

  test('because the sender may not call at all refuses no event: its role may be mended', async () => {
    const { emitter } = refusing('AccessDeniedException', 'note 0', 'note 1');

    expect(outcomes(await unsentBy(emitter.emit(events(2))))).toEqual([
      ['note 0', 'AccessDeniedException', undefined],
      ['note 1', 'AccessDeniedException', undefined],
    ]);
  });
});

describe('what could not be sent', () => {
  test('is listed exactly, with the reason of the last attempt', async () => {
    const { emitter, sizes } = setUp(
      (text, call) => (text === 'note 7' || text === 'note 11' ? failed(`Failure${call}`) : accepted()),
      { maxAttempts: 3 },
    );

    const error = await unsentBy(emitter.emit(events(12)));

    expect(sizes()).toEqual([10, 2, 2, 2]);
    expect(error).toMatchObject({ code: 'EMIT_FAILED', message: expect.stringContaining('2 of 12') });
    expect(error.unsent.map(({ event, errorCode, errorMessage }) => [textOf(event), errorCode, errorMessage])).toEqual([
      ['note 7', 'Failure4', 'no'],
      ['note 11', 'Failure4', 'no'],
    ]);
  });

  test('is every entry of a call that fails as a whole, and no entry of the others', async () => {
    let calls = 0;
    const client = new RecordingClient((_, input) => {
      calls += 1;
      if ((input as Call).Entries.length === 10) throw Object.assign(new Error('down'), { name: 'ServiceUnavailable' });
      return { Entries: (input as Call).Entries.map(accepted) };
    });
    const emitter = new EventBridgeEmitter({ client, busName: 'bus', maxAttempts: 2, sleep: async () => {} });

    const error = await unsentBy(emitter.emit(events(12)));

    expect(calls).toBe(3);
    expect(error.unsent.map(({ event }) => textOf(event))).toEqual(events(10).map(textOf));
    expect(error.unsent[0]).toMatchObject({ errorCode: 'ServiceUnavailable', errorMessage: 'down' });
  });

  test('recovers from a call that failed as a whole', async () => {
    let calls = 0;
    const client = new RecordingClient((_, input) => {
      calls += 1;
      if (calls === 1) throw new Error('socket hang up');
      return { Entries: (input as Call).Entries.map(accepted) };
    });

    await new EventBridgeEmitter({ client, busName: 'bus', sleep: async () => {} }).emit(events(3));

    expect(calls).toBe(2);
  });

  test.each([
    ['no entries at all', () => ({})],
    ['fewer results than entries', () => ({ Entries: [{ EventId: 'id' }] })],
    ['a result without an id', () => ({ Entries: [{ EventId: 'id' }, {}] })],
    ['an id together with an error', () => ({ Entries: [{ EventId: 'id' }, { EventId: 'id', ErrorCode: 'Odd' }] })],
  ])('%s are not taken for acceptance', async (_, answer) => {
    const emitter = new EventBridgeEmitter({
      client: new RecordingClient(answer),
      busName: 'bus',
      maxAttempts: 1,
    });

    const error = await unsentBy(emitter.emit(events(2)));

    expect(error.unsent.map(({ event }) => textOf(event))).toContain('note 1');
  });
});

describe('InMemoryEmitter', () => {
  test('keeps what it accepts and refuses as EventBridge does', async () => {
    const emitter = new InMemoryEmitter();
    emitter.refuse = (event) => textOf(event) === 'note 1';
    const given = events(3);

    const error = await unsentBy(emitter.emit(given));

    expect(error.unsent.map(({ event }) => event)).toEqual([given[1]]);
    expect(emitter.emitted).toEqual([given[0], given[2]]);
    expect(emitter.calls).toEqual([given]);
  });
});
