import type { Rule } from '../rule.ts';
import { entriesOf, isSame } from '../template.ts';

/** What the libraries write: marks and logged events have `ttl`, records of Powertools idempotency `expiration`. */
const byAttribute = (AttributeName: string) => ({ AttributeName, Enabled: true });

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html */
export const rowExpiry: Rule = {
  name: 'row-expiry',
  why: 'without it marks and personal data stay for ever, and by another attribute rows go that nobody meant',
  exceptions: [
    {
      service: 'orders',
      resource: /^ProjectionsTable$/,
      problem: /^TimeToLiveSpecification is undefined/,
      reason: 'read models are for good: a rebuild replaces them',
    },
    {
      service: 'slot-display',
      resource: /^ProjectionsTable$/,
      problem: /^TimeToLiveSpecification is undefined/,
      reason: 'read models are for good: a rebuild replaces them',
    },
    {
      service: 'partner-orders',
      resource: /^Table$/,
      problem: /^TimeToLiveSpecification is undefined/,
      reason: 'a number of a partner is never free again; the rows hold nothing personal',
    },
  ],
  check(service) {
    return entriesOf(service, 'AWS::DynamoDB::Table').flatMap(({ id, properties }) => {
      const attribute = /-idempotency$/.test(String(properties.TableName)) ? 'expiration' : 'ttl';
      if (isSame(properties.TimeToLiveSpecification, byAttribute(attribute))) return [];
      const actual = JSON.stringify(properties.TimeToLiveSpecification);
      return [{ resource: id, problem: `TimeToLiveSpecification is ${actual}, not enabled by ${attribute}` }];
    });
  },
};
