import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { ManualClock, type MovableClock, SystemClock } from './clock.ts';
import { TimerQueue } from './timer-queue.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

describe('TimerQueue', () => {
  it('gives entries by time, then by the order they were added, whatever is removed', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(20), removed: fc.boolean() })), (entries) => {
        const queue = new TimerQueue();
        const given: number[] = [];
        const removals = entries.map(({ at }, index) => queue.add(at, () => given.push(index)));
        entries.forEach(({ removed }, index) => {
          if (removed) removals[index]?.();
        });
        for (let due = queue.takeDue(20); due; due = queue.takeDue(20)) due.callback();
        const expected = entries
          .map((entry, index) => ({ ...entry, index }))
          .filter(({ removed }) => !removed)
          .sort((one, other) => one.at - other.at || one.index - other.index);
        expect(given).toEqual(expected.map(({ index }) => index));
        expect(queue.size).toBe(0);
      }),
    );
  });
});

describe.each<[string, () => MovableClock]>([
  ['ManualClock', () => new ManualClock(start)],
  ['SystemClock', () => new SystemClock()],
])('%s, moved', (_name, create) => {
  it('fires timers in order, each at its own time, and those they set on the way', async () => {
    const clock = create();
    const from = clock.now();
    const fired: [string, number][] = [];
    const note = (name: string) => fired.push([name, Math.round((clock.now() - from) / 1000)]);
    clock.setTimer(from + 3000, () => note('third'));
    clock.setTimer(from + 1000, () => {
      note('first');
      clock.setTimer(clock.now() + 1000, () => note('second'));
    });
    clock.setTimer(from + 60_000, () => note('never'));
    await clock.advance(10_000);
    expect(fired).toEqual([
      ['first', 1],
      ['second', 2],
      ['third', 3],
    ]);
    expect(Math.round((clock.now() - from) / 1000)).toBe(10);
  });

  it('waits for what a timer starts before the next one fires', async () => {
    const clock = create();
    const seen: string[] = [];
    clock.setTimer(clock.now() + 1, async () => {
      await Promise.resolve();
      seen.push('started by the first');
    });
    clock.setTimer(clock.now() + 2, () => seen.push('second'));
    await clock.advance(10);
    expect(seen).toEqual(['started by the first', 'second']);
  });

  it('does not fire a timer that was cancelled, and takes any distance', async () => {
    const clock = create();
    const fired: string[] = [];
    clock.setTimer(clock.now() + DAY_MS, () => fired.push('cancelled')).cancel();
    clock.setTimer(clock.now() + 400 * DAY_MS, () => fired.push('after 400 days'));
    await clock.advance(399 * DAY_MS);
    expect(fired).toEqual([]);
    await clock.advance(2 * DAY_MS);
    expect(fired).toEqual(['after 400 days']);
  });

  it('moves once after the other when it is moved twice at once', async () => {
    const clock = create();
    const from = clock.now();
    await Promise.all([clock.advance(1000), clock.advance(1000)]);
    expect(clock.now() - from).toBeGreaterThanOrEqual(2000);
  });

  it('refuses to go back', async () => {
    const clock = create();
    await expect(clock.set(clock.now() - 1000)).rejects.toThrow(RangeError);
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError);
  });

  it('lets sleepers go on, and stops them by a signal', async () => {
    const clock = create();
    const controller = new AbortController();
    const { signal } = controller;
    const slept = clock.sleep(5000).then(() => 'slept');
    const aborted = clock.sleep(5000, signal).catch((reason) => reason);
    controller.abort('enough');
    await clock.advance(5000);
    expect(await slept).toBe('slept');
    expect(await aborted).toBe('enough');
    await expect(clock.sleep(1, signal)).rejects.toBe('enough');
  });

  it('passes on what a timer throws, and fires the others at the next move', async () => {
    const clock = create();
    const fired: string[] = [];
    clock.setTimer(clock.now() + 1000, () => {
      throw new Error('broken timer');
    });
    clock.setTimer(clock.now() + 1001, () => fired.push('next'));
    await expect(clock.advance(5000)).rejects.toThrow('broken timer');
    await clock.advance(5000);
    expect(fired).toEqual(['next']);
  });
});

describe('SystemClock', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('fires by itself, beyond the 24.8 days that a Node timer can wait', () => {
    jest.useFakeTimers();
    const clock = new SystemClock();
    const fired: number[] = [];
    clock.setTimer(clock.now() + 40 * DAY_MS, () => fired.push(40));
    clock.setTimer(clock.now() + 1000, () => fired.push(0));
    jest.advanceTimersByTime(1000);
    expect(fired).toEqual([0]);
    jest.advanceTimersByTime(39.9 * DAY_MS);
    expect(fired).toEqual([0]);
    jest.advanceTimersByTime(DAY_MS);
    expect(fired).toEqual([0, 40]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has one Node timer, whatever is set, and none after it is disposed of', () => {
    jest.useFakeTimers();
    const clock = new SystemClock();
    const timers = Array.from({ length: 50 }, (_, index) =>
      clock.setTimer(clock.now() + 1000 * (50 - index), () => {}),
    );
    expect(jest.getTimerCount()).toBe(1);
    for (const timer of timers.slice(1)) timer.cancel();
    expect(jest.getTimerCount()).toBe(1);
    clock[Symbol.dispose]();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('notices within a minute that the machine slept', () => {
    jest.useFakeTimers();
    const clock = new SystemClock();
    const fired: string[] = [];
    clock.setTimer(clock.now() + DAY_MS, () => fired.push('due'));
    jest.setSystemTime(Date.now() + 2 * DAY_MS);
    jest.advanceTimersByTime(60_000);
    expect(fired).toEqual(['due']);
  });
});
