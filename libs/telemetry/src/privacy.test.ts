import { ConditionalCheckFailedException, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PermanentError } from '@millrace/errors';
import { defineEvent, EmitFailedError, parseEnvelope } from '@millrace/events';
import { messageOf } from '@millrace/privacy';
import { personal } from '@millrace/privacy/personal';
import { envelopeText, httpRequest, insertRecord, sampleEvent, sqsEvent, streamEvent } from '@millrace/testing';
import * as z from 'zod';
import { Logger } from './index.ts';

const Whispered = defineEvent({
  name: 'Whispered',
  version: 1,
  service: 'gossip',
  category: 'domain',
  type: 'data',
  summary: 'Somebody told somebody something.',
  data: z.object({
    rumourId: z.string(),
    secret: personal(z.string()),
    teller: z.object({ id: z.string(), name: personal(z.string()) }),
    heardBy: z.array(z.object({ id: z.string(), email: personal(z.email()) })),
  }),
  example: {
    rumourId: 'rumour-1',
    secret: 'the butler did it',
    teller: { id: 'teller-1', name: 'Butler Smith' },
    heardBy: [{ id: 'ear-1', email: 'butler@example.com' }],
  },
});

const made = sampleEvent(Whispered);
const text = envelopeText(made);
const event = Whispered.parse(parseEnvelope(text));
const { data } = event;

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((line) => {
      lines.push(String(line));
      return true;
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** What is written of some attributes. */
function logged(attributes: object): Record<string, unknown> {
  new Logger({ logLevel: 'DEBUG' }).info('Look', attributes as Record<string, never>);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/butler/i);
  return JSON.parse(lines[0] ?? '');
}

class Holder {
  readonly held: unknown;
  constructor(held: unknown) {
    this.held = held;
  }
}

const shownData = { rumourId: 'rumour-1', teller: { id: 'teller-1' }, heardBy: [{ id: 'ear-1' }] };

describe('an event', () => {
  test.each<[string, object, object]>([
    ['as it is', event, { detailType: 'Whispered.v1', data: shownData }],
    ['under a key', { event }, { event: { source: 'millrace.gossip', metadata: event.metadata, data: shownData } }],
    ['its data', { data }, { data: shownData }],
    ['its data as it is', data, shownData],
    ['a part of its data', { teller: data.teller }, { teller: { id: 'teller-1' } }],
    ['an array of its data', { ears: data.heardBy }, { ears: [{ id: 'ear-1' }] }],
    ['an element of it', { ear: data.heardBy[0] }, { ear: { id: 'ear-1' } }],
    ['deep in something else', { a: [{ b: { event } }] }, { a: [{ b: { event: { data: shownData } } }] }],
    ['in an instance of a class', { holder: new Holder(data) }, { holder: { held: shownData } }],
    ['in several places', { one: data.teller, two: { teller: data.teller } }, { two: { teller: { id: 'teller-1' } } }],
    ['under a name of raw texts', { detail: data }, { detail: shownData }],
    ['not emitted yet', { made }, { made: { detailType: 'Whispered.v1' } }],
    ['not emitted yet, as its consumers will see it', { event: made.event }, { event: { data: shownData } }],
    ['read from an outbox', { entry: made.entry }, { entry: { detailType: 'Whispered.v1' } }],
  ])('is logged without what is personal: %s', (_, attributes, expected) => {
    expect(logged(attributes)).toMatchObject(expected);
  });

  test('stays as it is', () => {
    logged({ event, data });

    expect(data).toEqual(Whispered.example);
  });

  test('is logged so by every way into the log', () => {
    const parent = new Logger({ logLevel: 'DEBUG', persistentKeys: { first: data.teller } });
    parent.appendPersistentKeys({ second: data.teller });
    const child = parent.createChild({ persistentKeys: { third: data.teller } });
    child.appendKeys({ fourth: data.teller });
    const grandchild = child.createChild();

    grandchild.debug('one', { fifth: data.teller });
    grandchild.error({ message: 'two', sixth: data.teller });
    grandchild.warn('three', { a: 1 }, { seventh: data.teller });

    const teller = { id: 'teller-1' };
    const everywhere = { first: teller, second: teller, third: teller, fourth: teller };
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ message: 'one', ...everywhere, fifth: teller }),
      expect.objectContaining({ message: 'two', ...everywhere, sixth: teller }),
      expect.objectContaining({ message: 'three', ...everywhere, a: 1, seventh: teller }),
    ]);
    expect(lines.join()).not.toMatch(/butler/i);
  });

  test('does not keep attributes from being what they are', () => {
    const circle: Record<string, unknown> = { name: 'round', list: [1, 'two', null, true] };
    circle.self = circle;

    expect(logged({ circle, when: new Date(0), size: 10n })).toMatchObject({
      circle: { name: 'round', list: [1, 'two', null, true] },
      when: '1970-01-01T00:00:00.000Z',
      size: '10',
    });
  });
});

describe('a raw text that nobody has parsed is left out', () => {
  const request = httpRequest('POST /rumours', {
    body: data,
    headers: {
      Authorization: 'Bearer butler',
      cookie: 'name=butler',
      'Idempotency-Key': 'butler',
      'x-forwarded-for': 'butler',
      'content-type': 'application/json',
    },
  });
  const stored = insertRecord({ pk: { S: 'rumour-1' }, outbox: { M: { detail: { S: made.detail } } } }, '7');

  test.each<[string, object, object]>([
    ['a message in an instance of a class', { holder: new Holder({ body: text }), inner: new Holder(made.entry) }, {}],
    ["a queue's records", { event: sqsEvent(text) }, { event: { Records: [{ eventSource: 'aws:sqs' }] } }],
    ['an event of EventBridge', { event: JSON.parse(text) }, { event: { 'detail-type': 'Whispered.v1' } }],
    [
      'a request',
      {
        event: { ...request, cookies: ['butler'], queryStringParameters: { q: 'butler' }, rawQueryString: 'q=butler' },
      },
      { event: { routeKey: 'POST /rumours', headers: { 'content-type': 'application/json' } } },
    ],
    [
      'the claims of its token',
      { event: { requestContext: { authorizer: { jwt: { claims: { name: 'Butler' }, scopes: ['a'] } } } } },
      { event: { requestContext: { authorizer: { jwt: { scopes: ['a'] } } } } },
    ],
    ["a table's records", streamEvent(stored), { Records: [{ dynamodb: { SequenceNumber: '7' } }] }],
    ['a message', { messages: [{ MessageId: '1', Body: text }] }, { messages: [{ MessageId: '1' }] }],
    [
      'a call',
      { input: { Entries: [{ Source: 's', Detail: made.detail }] } },
      { input: { Entries: [{ Source: 's' }] } },
    ],
    ['a mail', { input: { Destination: { ToAddresses: ['butler@example.com'] } } }, { input: {} }],
  ])('of %s', (_, attributes, expected) => {
    expect(logged(attributes)).toMatchObject(expected);
  });
});

describe('an error', () => {
  const $metadata = { requestId: 'request-1', httpStatusCode: 400 };

  test('is logged with name, code, message, place, stack and causes', () => {
    const cause = new TypeError('x is undefined');
    const { error } = logged({ error: new PermanentError('SPILT', 'data.cup: too full', { cause }) });

    expect(error).toMatchObject({
      name: 'PermanentError',
      code: 'SPILT',
      message: 'data.cup: too full',
      location: expect.stringMatching(/privacy\.test\.ts:\d+$/),
      stack: expect.stringMatching(/^PermanentError: data\.cup: too full\n +at /),
      cause: { name: 'TypeError', message: 'x is undefined', stack: expect.any(String) },
    });
  });

  test('is logged alone, too', () => {
    new Logger({ logLevel: 'INFO' }).error('Broken', new Error('cup'));

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'Broken', error: { message: 'cup' } });
  });

  test('of AWS is logged with its request', () => {
    const error = new ResourceNotFoundException({ message: 'There is no table cups', $metadata });

    expect(logged({ error })).toMatchObject({
      error: {
        name: 'ResourceNotFoundException',
        message: 'There is no table cups',
        request_id: 'request-1',
        status: 400,
      },
    });
  });

  test('of the network is logged with what it says', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED', $metadata: {} });

    expect(logged({ error })).toMatchObject({
      error: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' },
    });
  });

  test('carries nothing that hangs on it', () => {
    const item = { name: { S: 'Butler' } };
    const failed = new ConditionalCheckFailedException({
      message: 'The conditional request failed',
      $metadata,
      Item: item,
    });
    const unsent = { event: made, errorCode: 'InternalFailure', errorMessage: 'butler' };
    const cause = Object.assign(new Error('outer', { cause: 'butler' }), { response: text, issues: [data] });

    logged({ errors: [failed, new EmitFailedError([unsent], 1), new Error('more', { cause })] });
  });

  test.each<[string, unknown]>([
    ['a parser that quotes its text', thrownBy(() => JSON.parse('butler'))],
    ['a number that is none', thrownBy(() => BigInt('butler'))],
    ['an operator on a text', thrownBy(() => 'x' in ('butler' as unknown as object))],
    ['a currency that is none', new RangeError('Invalid currency code : butler')],
    [
      'a schema, whose issues may name fields',
      new z.ZodError([{ code: 'custom', path: ['butler'], message: 'x', input: 1 }]),
    ],
    [
      'AWS, which quotes what it does not like',
      Object.assign(new Error("Value 'butler' at 'name' failed"), {
        name: 'ValidationException',
        $fault: 'client',
        $metadata,
      }),
    ],
    ['AWS, which may not send there', new Error('not authorized on resource: +49 151 12345678 or butler@example.com')],
    ['something that is no error', 'butler'],
  ])('does not repeat the message of %s', (_, error) => {
    expect(messageOf(error)).not.toMatch(/butler|1234/);
    expect(messageOf(error)).not.toBe('');
    expect(logged({ error })).toHaveProperty('error');
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
