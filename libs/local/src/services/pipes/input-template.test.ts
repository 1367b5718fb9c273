import { describe, expect, it, test } from '@jest/globals';
import { compileInputTemplate, enrichedEvent, parameterValue, sourceEvent } from './input-template.ts';

const pipe = {
  ...{ Arn: 'arn:pipe', Name: 'p', Source: 'arn:source', Enrichment: 'arn:enrichment', Target: 'arn:target' },
};
const fill = (template: string, event = message('{"key":"value","list":[1,{"a":2}]}')) =>
  compileInputTemplate(template, pipe, () => Date.parse('2026-06-01T00:00:00Z'))(event);
const message = (body: string) => sourceEvent({ messageId: 'm', body, eventSource: 'aws:sqs' });

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
describe('an input template', () => {
  test.each([
    ['static text', 'Hello, sender', 'Hello, sender'],
    ['a path alone', '<$.messageId>', '"m"'],
    ['text with a path', '"Hello, <$.messageId>"', '"Hello, m"'],
    ['a path into a body that is JSON', '{"k":<$.body.key>}', '{"k":"value"}'],
    ['an item of a list', '{"k":<$.body.list[1].a>}', '{"k":2}'],
    ['the whole body', '{"data":<$.body>}', '{"data":{"key":"value","list":[1,{"a":2}]}}'],
    ['a body within quotes, which loses its quotes', '"<$.body>"', '"{key:value,list:[1,{a:2}]}"'],
    ['a path that leads nowhere', '{"k":<$.body.none>}', '{"k":""}'],
  ])('takes %s', (_name, template, expected) => {
    expect(fill(template)).toBe(expected);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html#input-transform-reserved
  it('has the reserved variables', () => {
    const names = ['pipe-arn', 'pipe-name', 'source-arn', 'enrichment-arn', 'target-arn', 'event.ingestion-time'];
    expect(JSON.parse(fill(`[${names.map((name) => `<aws.pipes.${name}>`).join(',')}]`))).toEqual([
      ...['arn:pipe', 'p', 'arn:source', 'arn:enrichment', 'arn:target', '2026-06-01T00:00:00.000Z'],
    ]);
    const { raw, decoded } = JSON.parse(fill('{"raw":<aws.pipes.event>,"decoded":<aws.pipes.event.json>}'));
    expect(raw.body).toBe('{"key":"value","list":[1,{"a":2}]}');
    expect(decoded.body).toEqual({ key: 'value', list: [1, { a: 2 }] });
  });

  it('leaves a body that is not JSON as text', () => {
    expect(fill('{"k":<$.body>,"none":<$.body.key>}', message('plain'))).toBe('{"k":"plain","none":""}');
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html#input-transform-implicit
  it('decodes the data of Kinesis', () => {
    const data = Buffer.from('{"key":"value"}').toString('base64');
    expect(fill('<$.data.key>', sourceEvent({ data, eventSource: 'aws:kinesis' }))).toBe('"value"');
  });

  it('does not parse the body of an event that comes from an enrichment', () => {
    expect(fill('{"k":<$.body>}', enrichedEvent('{"body":"{}"}'))).toBe('{"k":"{}"}');
    expect(fill('{"k":<aws.pipes.event>,"j":"<aws.pipes.event.json>"}', enrichedEvent('no JSON'))).toBe(
      '{"k":"no JSON","j":""}',
    );
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html#pipes-targets-dynamic-parms
test('a parameter is a path only as a whole', () => {
  const event = message('{"key":"value","n":1}');
  expect(parameterValue('$.body.key', event)).toBe('value');
  expect(parameterValue('$.body.n', event)).toBe('1');
  expect(parameterValue('at $.body.key', event)).toBe('at $.body.key');
  expect(() => parameterValue('$.body.none', event)).toThrow('The event has nothing at $.body.none');
});
