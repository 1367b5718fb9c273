import { describe, expect, test } from '@jest/globals';
import { defineEvent, type EventContract } from '@millrace/events';
import { personal } from '@millrace/privacy/personal';
import { envelopeText, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { readDeadLetter } from '../dead-letter.ts';
import { shownDeadLetter } from './shown-dead-letter.ts';

const Boarded = defineEvent({
  name: 'Boarded',
  version: 1,
  service: 'ferry',
  category: 'domain',
  type: 'data',
  summary: 'Somebody went aboard.',
  data: z.object({ ticketId: z.string(), passenger: z.object({ id: z.string(), name: personal(z.string()) }) }),
  example: { ticketId: 'ticket-1', passenger: { id: 'passenger-1', name: 'Ludmila' } },
});
const contracts = new Map<string, EventContract>([[Boarded.detailType, Boarded]]);

const context = { id: 'event-1', correlationId: 'correlation-1', subject: 'ticket-1' };
const body = envelopeText(sampleEvent(Boarded, {}, context));

function shown(text: string, attributes: Record<string, string> = {}) {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  const letter = shownDeadLetter(
    readDeadLetter({ MessageId: 'message-1', ReceiptHandle: 'handle', Body: text, MessageAttributes }),
    contracts,
  );
  expect(JSON.stringify(letter)).not.toMatch(/ludmila|handle/i);
  return letter;
}

describe('a letter', () => {
  test('is shown with its reason, and its event without what is personal', () => {
    const attributes = { ErrorCode: 'FULL', ErrorMessage: 'No room', FailureKind: 'exhausted', Attempts: '5' };

    expect(shown(body, attributes)).toMatchObject({
      messageId: 'message-1',
      reason: { code: 'FULL', message: 'No room', correlationId: 'correlation-1', attempts: 5 },
      attributes,
      event: { id: 'event-1', detailType: 'Boarded.v1', source: 'millrace.ferry', time: JSON.parse(body).time },
      bytes: Buffer.byteLength(body),
      detail: {
        metadata: { id: 'event-1', subject: 'ticket-1', dataSensitivity: 'personal', version: 1 },
        data: { ticketId: 'ticket-1', passenger: { id: 'passenger-1' } },
      },
    });
  });

  test.each([
    ['no JSON', '{"name":"Ludmila"'],
    ['no event', '{"name":"Ludmila"}'],
    ['an event of no known contract', body.replaceAll('Boarded', 'Stranded')],
    ['an event that breaks its contract', body.replace('"ticketId":"ticket-1"', '"ticketId":{"Ludmila":1}')],
    ['an event that contradicts itself', body.replace('"service":"ferry"', '"service":"Ludmila"')],
  ])('whose body is %s is shown with its size and reason only', (_, text) => {
    const letter = shown(text, { ErrorCode: 'SCHEMA_VIOLATION' });

    expect(letter).not.toHaveProperty('detail');
    expect(letter).toMatchObject({ bytes: Buffer.byteLength(text), reason: { code: 'SCHEMA_VIOLATION' } });
  });

  test('is shown without fields that its contract does not know', () => {
    const odd = body
      .replace('"ticketId":', '"companion":"Ludmila","ticketId":')
      .replace('"metadata":{', '"metadata":{"name of":"Ludmila","guide":"Ludmila",');

    expect(shown(odd).detail).toEqual(shown(body).detail);
  });

  test('is shown without identities that are none', () => {
    const forged = body
      .replaceAll('correlation-1', 'ludmila@example.com')
      .replace('"subject":"ticket-1"', '"subject":"Mrs Ludmila"')
      .replace('"id":"event-1"', '"id":"Mrs Ludmila"')
      .replace('"owner":"ferry"', '"owner":"Mrs Ludmila","tags":{"Mrs Ludmila":"Mrs Ludmila"}');
    const none = '(no identifier)';

    expect(shown(forged)).toMatchObject({
      event: { id: none },
      reason: { correlationId: none },
      detail: { metadata: { id: none, subject: none, owner: none, tags: { [none]: none } } },
    });
    expect(shown('{}', { ErrorCode: 'Mrs Ludmila' }).reason.code).toBe(none);
  });

  test('is shown without attributes that do not tell why it is dead', () => {
    expect(shown(body, { ErrorCode: 'FULL', Passenger: 'Ludmila' }).attributes).toEqual({ ErrorCode: 'FULL' });
  });
});

test("a rule's letter names the consumer that the rule feeds", () => {
  const attributes = {
    RULE_ARN: 'arn:aws:events:us-east-1:123456789012:rule/millrace-dev/millrace-ferry-dev-on-boarded',
  };
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  const letter = readDeadLetter({ MessageId: 'message-1', ReceiptHandle: 'handle', Body: body, MessageAttributes });
  const names = new Map([['millrace-ferry-dev-on-boarded', 'ferry.onBoarded']]);

  expect(shownDeadLetter(letter, contracts, (rule) => names.get(rule)).reason.consumer).toBe('ferry.onBoarded');
  expect(shownDeadLetter(letter, contracts).reason.consumer).toBe('millrace-ferry-dev-on-boarded');
});
