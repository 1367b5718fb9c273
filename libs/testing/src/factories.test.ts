import { describe, expect, test } from '@jest/globals';
import { defineEvent, parseEnvelope } from '@millrace/events';
import * as z from 'zod';
import {
  type AuthorizedRequest,
  envelopeText,
  eventually,
  fifoRecord,
  httpRequest,
  RecordingClient,
  sampleEvent,
  sqsEvent,
} from './index.ts';

const Greeted = defineEvent({
  name: 'Greeted',
  version: 1,
  service: 'manners',
  category: 'domain',
  type: 'data',
  summary: 'Somebody said hello.',
  data: z.object({ whom: z.string(), how: z.string() }),
  example: { whom: 'ada', how: 'warmly' },
});

describe('factories', () => {
  test('an event is made from the example of its contract, and its envelope carries it unchanged', () => {
    const event = sampleEvent(Greeted, { how: 'coldly' }, { subject: 'ada' });

    expect(Greeted.parse(parseEnvelope(envelopeText(event)))).toMatchObject({
      metadata: { subject: 'ada', name: 'Greeted' },
      data: { whom: 'ada', how: 'coldly' },
    });
    expect(envelopeText(event)).toContain(event.detail);
  });

  test('texts become records of a queue, FIFO records keep their group', () => {
    const { Records } = sqsEvent('one', fifoRecord('two', 'group-1', { messageId: 'id-2' }));

    expect(Records).toMatchObject([
      { body: 'one', attributes: { ApproximateReceiveCount: '1' } },
      { body: 'two', messageId: 'id-2', attributes: { MessageGroupId: 'group-1' } },
    ]);
    expect(Records[1]?.eventSourceARN).toMatch(/\.fifo$/);
  });

  test('a request fills its path and sends JSON, or text as it is', () => {
    expect(httpRequest('PUT /stock/{sku}', { path: { sku: 'a b' }, body: { quantity: 1 } })).toMatchObject({
      routeKey: 'PUT /stock/{sku}',
      rawPath: '/stock/a b',
      pathParameters: { sku: 'a b' },
      body: '{"quantity":1}',
      requestContext: { http: { method: 'PUT', path: '/stock/a b' } },
    });
    expect(httpRequest('POST /x', { body: '{' }).body).toBe('{');
    expect(httpRequest('GET /x')).not.toHaveProperty('body');
  });

  test('a request has the claims of a token, unless there is none', () => {
    const claimsOf = ({ requestContext }: AuthorizedRequest) => requestContext.authorizer?.jwt.claims;

    expect(claimsOf(httpRequest('GET /x'))).toEqual({ sub: 'customer-1' });
    expect(claimsOf(httpRequest('GET /x', { claims: { sub: 'ada', scope: 'x:read' } }))).toEqual({
      sub: 'ada',
      scope: 'x:read',
    });
    expect(httpRequest('GET /x', { claims: null }).requestContext).not.toHaveProperty('authorizer');
  });
});

describe('RecordingClient', () => {
  class SayCommand {
    readonly input: { text: string };
    constructor(input: { text: string }) {
      this.input = input;
    }
  }

  test('records commands and answers as told', async () => {
    const client = new RecordingClient((name, input) => {
      if ((input as { text: string }).text === 'boo') throw new Error('no');
      return { name };
    });

    expect(await client.send(new SayCommand({ text: 'hello' }))).toEqual({ name: 'SayCommand' });
    await expect(client.send(new SayCommand({ text: 'boo' }))).rejects.toThrow('no');
    expect(client.inputs('SayCommand')).toEqual([{ text: 'hello' }, { text: 'boo' }]);
    expect(client.inputs('OtherCommand')).toEqual([]);
  });
});

describe('eventually', () => {
  test('gives what the check gives as soon as it passes', async () => {
    let tries = 0;
    const check = () => {
      tries += 1;
      if (tries < 3) throw new Error(`try ${tries}`);
      return tries;
    };

    expect(await eventually(check, { intervalMs: 1 })).toBe(3);
  });

  test('throws the last error of the check when its time is up', async () => {
    const check = async () => {
      throw new Error('never');
    };

    await expect(eventually(check, { deadlineMs: 5, intervalMs: 1 })).rejects.toThrow('never');
  });

  test('gives up when it is told to', async () => {
    const controller = new AbortController();
    const check = async () => {
      controller.abort(new Error('enough'));
      throw new Error('not yet');
    };

    await expect(eventually(check, { signal: controller.signal })).rejects.toThrow('enough');
  });
});
