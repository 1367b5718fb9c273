import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMessage, type Message } from './message.ts';
import { QueueMessages } from './queue-messages.ts';

const RETENTION_MS = 1000;

/** A command with small numbers, so that commands meet. */
const command = fc.oneof(
  fc.record({
    do: fc.constant('send' as const),
    group: fc.integer({ min: 0, max: 3 }),
    delay: fc.constantFrom(0, 0, 20),
  }),
  fc.record({
    do: fc.constant('receive' as const),
    max: fc.integer({ min: 1, max: 4 }),
    timeout: fc.constantFrom(0, 10, 50),
  }),
  fc.record({ do: fc.constant('delete' as const), index: fc.nat(20) }),
  fc.record({ do: fc.constant('hide' as const), index: fc.nat(20), timeout: fc.constantFrom(0, 10, 50) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40 }) }),
);

/** What should be in the queue, kept the slow way: a list that is searched from the front. */
class Model {
  messages: Message[] = [];

  expire(now: number): void {
    this.messages = this.messages.filter(({ sentAt }) => sentAt + RETENTION_MS > now);
  }

  /** What could be received: in a FIFO queue nothing that comes after a hidden or delayed one of its group. */
  receivable(now: number, fifo: boolean): Message[] {
    const blocked = new Set<string | undefined>();
    return this.messages.filter(({ visibleAt, groupId }) => {
      if (fifo && blocked.has(groupId)) return false;
      if (visibleAt > now) blocked.add(groupId);
      return visibleAt <= now;
    });
  }
}

describe.each([false, true])('the messages of a queue (FIFO: %s)', (fifo) => {
  test('are what a plain list of them would be, whatever is done in whatever order', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const stored = new Set<number>();
        const queue = new QueueMessages({
          fifo,
          shuffle: undefined,
          journal: {
            insert: ({ uid }) => stored.add(uid),
            update: ({ uid }) => expect(stored).toContain(uid),
            remove: ({ uid }) => stored.delete(uid),
          },
        });
        const model = new Model();
        let now = 0;
        let uid = 0;
        for (const step of commands) {
          queue.advance(now, RETENTION_MS);
          model.expire(now);
          if (step.do === 'send') {
            uid += 1;
            const message = newMessage(uid, `g${step.group}`, now, step.delay);
            queue.add(message, now);
            model.messages.push(message);
          } else if (step.do === 'receive') {
            const receivable = model.receivable(now, fifo);
            const received = queue.receive(step.max, step.timeout, now, () => false);
            expect(received).toHaveLength(Math.min(step.max, receivable.length));
            expect(new Set(received).size).toBe(received.length);
            for (const message of received) expect(receivable).toContain(message);
            if (fifo) expectGroupsInOrder(received);
          } else if (step.do === 'wait') {
            now += step.ms;
          } else {
            const message = model.messages[step.index];
            if (!message) continue;
            if (step.do === 'hide') queue.hide(message, step.timeout, now);
            else {
              queue.delete(message, now);
              model.messages.splice(step.index, 1);
            }
          }
          queue.advance(now, RETENTION_MS);
          model.expire(now);
          expectSame(queue, model, now);
          expect(stored.size).toBe(model.messages.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function newMessage(uid: number, groupId: string, now: number, delay: number): Message {
  return createMessage(
    uid,
    {
      ...{ messageId: String(uid), body: '', bodyMd5: '', attributes: undefined, traceHeader: undefined, senderId: '' },
      ...{ groupId, deduplicationId: undefined, deadLetterSourceArn: undefined },
      ...{ sentAt: now, arrivedAt: now, receivesBefore: 0 },
    },
    { receives: 0, firstReceivedAt: undefined, receivedAt: undefined, visibleAt: now + delay },
  );
}

function expectGroupsInOrder(received: readonly Message[]): void {
  const groups = received.map(({ groupId }) => groupId);
  const inRuns = groups.filter((group, index) => group !== groups[index - 1]);
  expect(new Set(inRuns).size).toBe(inRuns.length);
  for (const [index, message] of received.entries()) {
    const before = received[index - 1];
    if (before && before.groupId === message.groupId) expect(before.uid).toBeLessThan(message.uid);
  }
}

function expectSame(queue: QueueMessages, model: Model, now: number): void {
  const visible = model.messages.filter(({ visibleAt }) => visibleAt <= now);
  const later = model.messages.filter(({ visibleAt }) => visibleAt > now);
  expect(queue.counts.visible).toBe(visible.length);
  expect(queue.counts.hidden + queue.counts.delayed).toBe(later.length);
  expect(queue.nextDue).toBe(later.length === 0 ? undefined : Math.min(...later.map(({ visibleAt }) => visibleAt)));
  expect([...queue]).toEqual(model.messages);
}
