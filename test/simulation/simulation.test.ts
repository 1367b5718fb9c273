import { expect, test } from '@jest/globals';
import { runScript } from '../run-script.ts';
import { seededBugs } from './seeded-bugs.ts';

const CPU_SECONDS = 20;

function simulate(...args: string[]) {
  return runScript('test-simulation', ...args);
}

test('nothing is lost or done twice in any history', async () => {
  const { stdout, stderr, exitCode } = await simulate('--cpu-seconds', String(CPU_SECONDS), '--histories', '1000');
  expect(stderr).toBe('');
  expect(stdout).toContain('Everything holds.');
  expect(exitCode).toBe(0);
});

test('an outage of ten minutes under load, of the payment provider or only of its charges and refunds, costs no dead letter and no order', async () => {
  const { stdout, stderr, exitCode } = await simulate('--outage', '10', '--histories', '2');
  expect(stderr).toBe('');
  expect(stdout).toContain('2 histories: 520 orders');
  expect(exitCode).toBe(0);
});

test('a seed always makes the same history', async () => {
  const options = ['--histories', '3', '--seed', '11'];
  const [first, second] = await Promise.all([simulate(...options), simulate(...options)]);
  const digestOf = (text: string) => /^digest (\w+)$/m.exec(text)?.[1];
  expect(digestOf(first.stdout)).toHaveLength(16);
  expect(digestOf(second.stdout)).toBe(digestOf(first.stdout));
});

test('every seeded bug is found, in histories that the unbroken system passes', async () => {
  expect(seededBugs.length).toBeGreaterThanOrEqual(12);
  const { stdout, stderr, exitCode } = await simulate('--seeded-bugs');
  expect(stderr).toBe('');
  expect(stdout).toContain(`${seededBugs.length} of ${seededBugs.length} seeded bugs found`);
  expect(stdout).toMatch(/the unbroken system passes these \d+ histories/);
  expect(exitCode).toBe(0);
});

test('a failure is told with its seed and the shortest history that still fails', async () => {
  const { stdout, stderr, exitCode } = await simulate('--bug', 'compensation-forgotten', '--histories', '30');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('1 histories failed.');
  expect(stderr).toMatch(/^seed \d+ fails:\n {2}\d+ [A-Z0-9-]+ are reserved for no order/m);
  expect(stderr.match(/^ {2}order \d+ of customer-\d/gm)).toHaveLength(1);
  expect(stderr).toMatch(/inventory\.onOrderPlaced~\d+ +TransactWriteItems/);
  expect(stderr).toMatch(/Again: npm run test:simulation -- --histories 1 --seed \d+ --bug compensation-forgotten/);
});

test.each([
  [['--faults', 'weather'], '--faults must be none or a list of call, delivery'],
  [['--bug', 'none'], 'There is no bug "none"'],
  [['--histories', '0'], '--histories must be a whole number of at least 1'],
])('%j is misuse', async (args, message) => {
  const { stderr, exitCode } = await simulate(...args);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});
