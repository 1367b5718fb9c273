import { describe, expect, test } from '@jest/globals';
import { Progress } from './progress.ts';

function record(isTTY: boolean) {
  const written: string[] = [];
  let now = 0;
  const progress = new Progress({ isTTY, write: (text) => written.push(text) }, 'redrive', () => now);
  return {
    written,
    progress,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('progress', () => {
  test('is a bar on a terminal, redrawn in its place and taken away at the end', () => {
    const { written, progress, pass } = record(true);
    progress.update(0, '0 of 10');
    pass(50);
    progress.update(0.1, '1 of 10');
    pass(50);
    progress.update(0.5, '5 of 10');
    progress.end();
    expect(written).toEqual([
      expect.stringMatching(/^\rredrive ░{30}.*0 %.*0 of 10/),
      expect.stringMatching(/^\rredrive █{15}░{15}.*50 %.*5 of 10/),
      '\r\u001b[K',
    ]);
  });

  test('is a line every five seconds elsewhere', () => {
    const { written, progress, pass } = record(false);
    for (let second = 0; second < 12; second += 1) {
      progress.update(second / 12, `${second} of 12`);
      pass(1_000);
    }
    progress.end();
    expect(written).toEqual(['redrive: 41 %, 5 of 12\n', 'redrive: 83 %, 10 of 12\n']);
  });
});
