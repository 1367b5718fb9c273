import { describe, expect, test } from '@jest/globals';
import { entryOfEnvelope, entrySize } from './index.ts';

const envelope = (detail: string, more = '') =>
  `{"version":"0","id":"7bf73129","detail-type":"OrderPlaced.v1","source":"millrace.orders","account":"000000000000",` +
  `"time":"2026-03-01T10:00:00Z","region":"us-east-1","resources":["arn:aws:s3:::a","arn:aws:s3:::b"],"detail":${detail}${more}}`;

describe('the entry of a delivered event', () => {
  test('has source, detail-type, time and resources of the event', () => {
    expect(entryOfEnvelope(envelope('{"a":1}'), { traceHeader: 'Root=1' })).toMatchObject({
      source: 'millrace.orders',
      detailType: 'OrderPlaced.v1',
      time: '2026-03-01T10:00:00Z',
      resources: ['arn:aws:s3:::a', 'arn:aws:s3:::b'],
      detail: '{"a":1}',
      traceHeader: 'Root=1',
    });
  });

  test.each([
    ['white space and the order of keys', '{ "b" : 1,\n\t"a" : [ 1 , 2 ] }'],
    ['numbers as they were written', '{"a":1.0,"b":1e2,"c":12345678901234567890,"d":-0}'],
    ['escapes as they were written', String.raw`{"a":"\u00e9\/é\"\\","b\"":"}{][,:\\"}`],
    ['a key twice', '{"a":1,"a":2}'],
    ['a detail within the detail', '{"detail":{"detail":{"x":1}},"source":"no"}'],
    ['an empty object', '{}'],
    ['characters beyond the first plane', '{"a":"😀\u2028"}'],
  ])('keeps %s', (_, detail) => {
    expect(entryOfEnvelope(envelope(detail)).detail).toBe(detail);
    expect(entryOfEnvelope(envelope(detail, ', "replay-name" : "r"')).detail).toBe(detail);
  });

  test('takes the last detail, as JSON.parse does, and finds it under an escaped name', () => {
    expect(entryOfEnvelope(envelope('{"a":1}', ',"detail":{"b":2}')).detail).toBe('{"b":2}');
    expect(entryOfEnvelope(envelope('{"a":1}', String.raw`,"d\u0065tail": {"c":3} `)).detail).toBe('{"c":3}');
  });

  test('is found however deep the detail is', () => {
    const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    expect(entryOfEnvelope(envelope(deep)).detail).toBe(deep);
  });

  test('counts its resources', () => {
    const entry = entryOfEnvelope(envelope('{}'));
    expect(entrySize(entry)).toBe(14 + 'millrace.orders'.length + 'OrderPlaced.v1'.length + 2 + 28);
  });

  test.each([
    ['no JSON', '{"source"'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no detail', '{"source":"a","detail-type":"b","time":"2026-03-01T10:00:00Z"}'],
    ['a detail that is a text', envelope('"text"')],
    ['a detail that is a list', envelope('[]')],
    ['a time that is none', envelope('{}').replace('2026-03-01T10:00:00Z', 'yesterday')],
    ['resources that are no list', envelope('{}').replace('["arn:aws:s3:::a","arn:aws:s3:::b"]', '"arn"')],
  ])('there is none of %s', (_, text) => {
    expect(() => entryOfEnvelope(text)).toThrow(expect.objectContaining({ code: 'MALFORMED_EVENT' }));
  });
});
