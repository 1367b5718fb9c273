import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { definedStates, definition } from '../../fixtures/saga-under-test.ts';
import { APPROVAL_SECONDS } from './approval.ts';
import { CHECKOUT_SECONDS, compensations, type SagaState, sagaSteps, waysBack } from './saga.ts';

const text = readFileSync(join(import.meta.dirname, '../../serverless.yml'), 'utf8');
const tag = (name: string) => ({ tag: `!${name}`, resolve: (value: string) => value });
const template = parse(text, { logLevel: 'error', customTags: ['Ref', 'GetAtt', 'Sub'].map(tag) });
const tasks = Object.entries(definedStates).filter(([, { Type }]) => Type === 'Task');

describe('the steps of both processes are the same', () => {
  test('the definition has each of them, and no other', () => {
    expect(Object.keys(sagaSteps).sort()).toEqual(tasks.map(([state]) => state).sort());
    expect(CHECKOUT_SECONDS).toBe(definition.TimeoutSeconds);
    expect(template.functions.durableCheckout.durableConfig.executionTimeout).toBe(CHECKOUT_SECONDS);
    expect(APPROVAL_SECONDS).toBe(definedStates.RequestApproval?.TimeoutSeconds);
  });

  test.each(tasks)('%s is retried as often and as soon', (state, { Retry: [retry] = [] }) => {
    const { maximum, firstDelaySeconds, longestDelaySeconds } = sagaSteps[state as SagaState].retries;
    expect(retry).toMatchObject({
      ...{ MaxAttempts: maximum, IntervalSeconds: firstDelaySeconds, MaxDelaySeconds: longestDelaySeconds },
      ...{ BackoffRate: 2, JitterStrategy: 'FULL' },
    });
  });

  test.each(tasks)('%s has the same ways back', (state, { Catch = [] }) => {
    const names: Record<string, string> = { 'States.ALL': '*', 'States.Timeout': 'ApprovalTimedOut' };
    const caught = Catch.map(({ ErrorEquals: [error = ''], Next: from, Assign: { cancellation } }) => {
      const { reason, detail } = cancellation;
      // Without a text of its own the detail is what the owner of the step said.
      return [names[error] ?? error, { from, reason, ...(!detail.startsWith('{%') && { detail }) }];
    });
    expect(waysBack[state as SagaState] ?? {}).toEqual(Object.fromEntries(caught));
  });

  test('compensations are in the same order', () => {
    type Next = { Next: string };
    const next = (state: string) => (definition.States[state] as Next).Next;
    expect(compensations.slice(0, -1).map(next)).toEqual(compensations.slice(1));
  });
});
