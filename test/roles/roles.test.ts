import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeGrant, type Grant, grantsOf } from './grants.ts';
import { type RunningShop, startShop } from './running-shop.ts';
import { withhold } from './withhold.ts';

let running: RunningShop;

beforeAll(async () => {
  running = await startShop();
});
afterAll(() => running?.stop());

function grantWith(functionName: string, effect: string, action: string): Grant {
  const grants = grantsOf(running.runtime).filter((grant) => grant.functionName === `millrace-${functionName}`);
  const found = grants.find((grant) => grant.effect === effect && grant.actions.includes(action));
  if (found) return found;
  throw new Error(
    `millrace-${functionName} has no such grant: ${grants.map((grant) => describeGrant(grant)).join('; ')}`,
  );
}

describe('the roles of all functions', () => {
  test('allow everything that the system does, and nobody misses what nobody uses', async () => {
    const grant = grantWith('orders-dev-getOrder', 'Allow', 'dynamodb:Query');
    const { missedBy } = await withhold(running, grant, { action: 'dynamodb:Scan' });

    expect(missedBy).toBeUndefined();
    expect(running.runtime.refusals().map(({ caller, action }) => `${caller} ${action}`)).toEqual([
      // Tried on purpose.
      'millrace-notifications-dev-onOrderOutcome sns:Publish',
      'millrace-notifications-dev-sendConfirmationForCheckout sns:Publish',
      'millrace-notifications-dev-notifyCancellationForCheckout sns:Publish',
    ]);
  });

  // One of each kind; all of them: npm run test:roles
  test.each([
    ['orders-dev-getOrder', 'Allow', 'dynamodb:Query', 'refused: dynamodb:Query on'],
    ['inventory-dev-onOrderPlaced', 'Allow', 'sqs:ReceiveMessage', 'refused: sqs:ReceiveMessage on'],
    ['payments-dev-relay', 'Allow', 'events:PutEvents', 'refused: events:PutEvents on'],
    ['fulfillment-dev-relay', 'Allow', 'sqs:SendMessage', 'refused: sqs:SendMessage on'],
    ['re-emitter-dev-reemit', 'Allow', 'sqs:DeleteMessage', 'refused: sqs:DeleteMessage on'],
    ['notifications-dev-onOrderOutcome', 'Deny', 'sns:Publish', 'could publish to a topic'],
  ])('%s misses what it is to %s: %s', async (functionName, effect, action, missedBy) => {
    const result = await withhold(running, grantWith(functionName, effect, action));
    expect(result.missedBy).toContain(missedBy);
  });
});

test('the exercise misses an effect, not only a warning', async () => {
  const grant = grantWith('inventory-dev-putStock', 'Allow', 'dynamodb:PutItem');
  const result = await withhold(running, grant, { failFast: false });
  expect(result.missedBy).toMatch(/^\w+: PUT \/stock answered 500/);
});
