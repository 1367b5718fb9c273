import { describe, expect, test } from '@jest/globals';
import { JsonObject, parseJson } from '@millrace/event-pattern';
import { createBusEvent } from './bus-event.ts';
import { compileTarget } from './rule-target.ts';

const detailText =
  '{ "orderId": "o-1", "total": 12.50, "paid": true, "note": null, "customer": {"name": "Ann", "vip": false},' +
  ' "lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}], "path/to-it_x": "said \\"hi\\"" }';
const detail = parseJson(detailText);
if (!(detail instanceof JsonObject)) throw new Error('not an object');

const event = createBusEvent({
  id: 'e-1',
  detailType: 'OrderPlaced.v1',
  source: 'shop.orders',
  account: '000000000000',
  time: Date.parse('2026-03-01T10:00:00.500Z'),
  region: 'us-east-1',
  resources: ['arn:one', 'arn:two'],
  detail,
  detailText,
  ingestedAt: Date.parse('2026-03-01T10:00:01.250Z'),
});
const rule = { name: 'to-queue', arn: 'arn:aws:events:us-east-1:000000000000:rule/shop/to-queue' };

function payload(parameters: object): string {
  return compileTarget({ Id: 'one', Arn: 'arn:aws:sqs:us-east-1:000000000000:q', ...parameters }).input(event, rule);
}

function transformed(InputTemplate: string, InputPathsMap: Record<string, string> = {}): string {
  return payload({ InputTransformer: { InputTemplate, InputPathsMap } });
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
test('without input parameters the target gets the envelope, its detail byte for byte', () => {
  expect(payload({})).toBe(
    '{"version":"0","id":"e-1","detail-type":"OrderPlaced.v1","source":"shop.orders","account":"000000000000",' +
      `"time":"2026-03-01T10:00:00Z","region":"us-east-1","resources":["arn:one","arn:two"],"detail":${detailText}}`,
  );
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
test('Input is a constant', () => {
  expect(payload({ Input: '{"a": 1}' })).toBe('{"a": 1}');
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
describe('InputPath', () => {
  test.each([
    ['$', event.text],
    ['$.detail', detailText],
    ['$.detail-type', '"OrderPlaced.v1"'],
    ['$.detail.total', '12.50'],
    ['$.detail.note', 'null'],
    ['$.detail.customer', '{"name": "Ann", "vip": false}'],
    ['$.resources[1]', '"arn:two"'],
    ['$.detail.lines[1].sku', '"B"'],
    ['$.detail.lines[*].sku', '["A","B"]'],
    ['$.detail.customer.*', '["Ann",false]'],
    ['$.detail.path/to-it_x', '"said \\"hi\\""'],
    ['$.detail.lines[2]', 'null'],
    ['$.detail.nothing.here', 'null'],
    ['$.detail.orderId.length', 'null'],
  ])('%s gives %s', (path, expected) => {
    expect(payload({ InputPath: path })).toBe(expected);
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
describe('InputTransformer', () => {
  const paths = {
    id: '$.detail.orderId',
    total: '$.detail.total',
    paid: '$.detail.paid',
    customer: '$.detail.customer',
    skus: '$.detail.lines[*].sku',
    missing: '$.detail.missing',
    said: '$.detail.path/to-it_x',
  };

  test.each([
    // Outside quotes: JSON
    ['{"id": <id>, "total": <total>, "paid": <paid>}', '{"id": "o-1", "total": 12.50, "paid": true}'],
    ['{"customer": <customer>, "skus": <skus>}', '{"customer": {"name": "Ann", "vip": false}, "skus": ["A","B"]}'],
    ['{"said": <said>}', '{"said": "said \\"hi\\""}'],
    ['{"missing": <missing>}', '{"missing": ""}'],
    ['[<id>,<total>]', '["o-1",12.50]'],
    ['<customer>', '{"name": "Ann", "vip": false}'],
    ['<id>', '"o-1"'],
    // Inside quotes: the bare value
    ['{"text": "Order <id> over <total>, paid: <paid>"}', '{"text": "Order o-1 over 12.50, paid: true"}'],
    ['"Order <id><missing>"', '"Order o-1"'],
    ['"Order \\"<id>\\" of <customer>"', '"Order \\"o-1\\" of {name: Ann, vip: false}"'],
    ['"\\\\", <id>', '"\\\\", "o-1"'],
    ['"line <id>"\n"line <total>"', '"line o-1"\n"line 12.50"'],
    // Plain text
    ['Order <id> of <customer>', 'Order o-1 of {"name": "Ann", "vip": false}'],
    ['<id> is placed', 'o-1 is placed'],
    // Predefined variables
    [
      '{"rule": <aws.events.rule-arn>, "name": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>}',
      `{"rule": "${rule.arn}", "name": "to-queue", "at": "2026-03-01T10:00:01.250Z"}`,
    ],
    ['{"event": <aws.events.event.json>}', `{"event": ${event.text}}`],
    ['{"head": <aws.events.event>}', `{"head": ${event.text.replace(`,"detail":${detailText}`, '')}}`],
  ])('%s gives %s', (template, expected) => {
    expect(transformed(template, paths)).toBe(expected);
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
describe('a target that is refused', () => {
  test.each<[string, object, RegExp]>([
    ['two inputs', { Input: '{}', InputPath: '$' }, /Only one of Input, InputPath, or InputTransformer/],
    ['an Input that is not JSON', { Input: '{' }, /Unexpected end of input/],
    ['a path in brackets', { InputPath: "$['detail']" }, /Invalid JSON path/],
    ['a path without $', { InputPath: 'detail' }, /Invalid JSON path: detail/],
    ['an unknown placeholder', { InputTransformer: { InputTemplate: '"<who>"' } }, /invalid placeholder who/],
    ['no template', { InputTransformer: { InputPathsMap: {} } }, /'inputTemplate'.*must not be null/],
    [
      'a reserved name',
      { InputTransformer: { InputPathsMap: { 'aws.x': '$' }, InputTemplate: '1' } },
      /must not start with AWS/,
    ],
    [
      'a name with a space',
      { InputTransformer: { InputPathsMap: { 'a b': '$' }, InputTemplate: '1' } },
      /not a valid name/,
    ],
    [
      'a bad path of a variable',
      { InputTransformer: { InputPathsMap: { a: '$..b' }, InputTemplate: '1' } },
      /Invalid JSON path/,
    ],
    ['an Arn that is not valid', { Arn: 'my-queue' }, /Provided Arn is not in correct format/],
    ['an Id with a space', { Id: 'a b' }, /regular expression pattern/],
    ['too many retries', { RetryPolicy: { MaximumRetryAttempts: 186 } }, /less than or equal to 185/],
    ['too short an age', { RetryPolicy: { MaximumEventAgeInSeconds: 59 } }, /greater than or equal to 60/],
    ['a DLQ that is not a queue', { DeadLetterConfig: { Arn: 'arn:aws:sns:us-east-1:1:t' } }, /must be an SQS queue/],
    ['a DLQ that is FIFO', { DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:1:q.fifo' } }, /must be a standard queue/],
    [
      'an API destination without a role',
      { Arn: 'arn:aws:events:us-east-1:1:api-destination/a/1' },
      /^RoleArn is required for target arn:aws:events:us-east-1:1:api-destination\/a\/1\.$/,
    ],
    ['a state machine without a role', { Arn: 'arn:aws:states:us-east-1:1:stateMachine:s' }, /RoleArn is required/],
    ['a FIFO queue without group', { Arn: 'arn:aws:sqs:us-east-1:1:q.fifo' }, /SqsParameters must be specified/],
  ])('%s', (_what, parameters, message) => {
    const refused = expect.objectContaining({ code: 'ValidationException', message: expect.stringMatching(message) });
    expect(() => payload(parameters)).toThrow(refused);
  });
});
