import { describe, expect, test } from '@jest/globals';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import { consumerOfRule } from './consumer-name.ts';

const reference = { service: 'event-log', function: 'onOrderPlaced', file: 'serverless.yml', key: 'functions' };
const catalogue: CatalogueEntry[] = [
  { detailType: 'OrderPlaced.v1', producers: [], consumers: [reference], analyticsConsumers: [], createdIn: [] },
];

describe('the consumer of a rule', () => {
  test('is found by the name of the rule', () => {
    expect(consumerOfRule('millrace-event-log-dev-on-order-placed', 'dev', catalogue)).toBe(reference);
  });

  test.each([
    ['another stage', 'millrace-event-log-prod-on-order-placed'],
    ['another function', 'millrace-event-log-dev-on-order-cancelled'],
  ])('is unknown for %s', (_, rule) => {
    expect(consumerOfRule(rule, 'dev', catalogue)).toBeUndefined();
  });
});
