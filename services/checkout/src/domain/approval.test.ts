import { describe, expect, test } from '@jest/globals';
import { type ApprovalCommand, type ApprovalRequest, decide, evolve } from './approval.ts';

const HOUR = 60 * 60 * 1000;
const start = Date.UTC(2026, 0, 1);
const total = { amount: 150_000, currency: 'EUR' };
const ask = (attempt: number, hours = 0): ApprovalCommand => ({
  ...({ type: 'RequestApproval', attempt, total } as const),
  taskToken: `token-${attempt}`,
  now: new Date(start + hours * HOUR),
});
const answer = (approved: boolean): ApprovalCommand => ({
  type: 'DecideApproval',
  decision: { approved, decidedBy: 'staff-1' },
  now: new Date(start + HOUR),
});

/** What follows from commands, one after the other. */
function after(...commands: ApprovalCommand[]): { approval: ApprovalRequest | undefined; last: string[] } {
  let approval: ApprovalRequest | undefined;
  let last: string[] = [];
  for (const command of commands) {
    const events = decide(command, approval);
    last = events.map(({ type }) => type);
    for (const event of events) approval = evolve(approval, event);
  }
  return { approval, last };
}

test('a request says until when it waits', () => {
  expect(after(ask(0)).approval).toMatchObject({
    ...{ taskToken: 'token-0', requestedAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-02T00:00:00.000Z' },
  });
});

describe('approvers are told', () => {
  test.each<[string, ApprovalCommand[]]>([
    ['of the first request', [ask(0)]],
    ['of a request of an execution that begins again after its time', [ask(0), ask(1000, 24)]],
    ['of a request after their answer to an earlier one', [ask(0), answer(true), ask(1000, 2)]],
  ])('%s', (_, commands) => {
    expect(after(...commands).last).toEqual(['ApprovalRequested']);
  });
});

describe('approvers are not told again', () => {
  test.each<[string, ApprovalCommand[], string[]]>([
    ['of a retry while they look at the request', [ask(0), ask(1)], ['ApprovalRenewed']],
    ['of the same attempt', [ask(0), ask(0)], []],
    ['of an attempt that comes late', [ask(1), ask(0)], []],
    ['of a decision', [ask(0), answer(false)], ['ApprovalDecided']],
  ])('%s', (_, commands, events) => {
    expect(after(...commands).last).toEqual(events);
  });
});

test('a retry is answered by its own token', () => {
  expect(after(ask(0), ask(1)).approval?.taskToken).toBe('token-1');
});

test('the first decision counts', () => {
  expect(after(ask(0), answer(true), answer(false)).approval?.decision?.approved).toBe(true);
  expect(after(answer(true)).approval).toBeUndefined();
});
