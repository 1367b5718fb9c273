import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { type LocalSqs, startLocalSqs } from '../../libs/dead-letters/fixtures/local-sqs.ts';
import { runScript, startScript } from '../../test/run-script.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-redrive-'));

let sqs: LocalSqs;
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createQueue('millrace-re-emitter-dev-parking');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await sqs.stop();
});

const redrive = (...args: string[]) => runScript('redrive', ...args, '--endpoint', sqs.endpoint);

let consumers = 0;
/** A consumer with dead orders in its queue: events `<name>-0` and on, every second one of a broken contract. */
async function deadOrders(count: number) {
  consumers += 1;
  const name = `on-order-${String.fromCharCode(96 + consumers)}`;
  const names = await sqs.createConsumerQueues(`millrace-test-dev-${name}`);
  const letters = Array.from({ length: count }, (_, index) => {
    const context = { id: `${name}-${index}`, correlationId: `correlation-${index}` };
    const body = envelopeText(sampleEvent(OrderPlaced, {}, context));
    const code = index % 2 ? 'SCHEMA_VIOLATION' : 'STOCK_TABLE_GONE';
    return { body, attributes: { ErrorCode: code, ErrorMessage: 'Why.', FailureKind: 'permanent', Attempts: '3' } };
  });
  await sqs.send(names.deadLetterQueue, letters);
  return { ...names, name };
}

async function idsIn(queue: string): Promise<string[]> {
  const { ready, held } = await sqs.contents(queue);
  return [...ready, ...held].map(({ body }) => JSON.parse(body).detail.metadata.id);
}

describe('npm run redrive', () => {
  test('--help says what there is, and of each command what it takes', async () => {
    const overall = await runScript('redrive', '--help');
    expect(overall.exitCode).toBe(0);
    for (const command of ['list', 'inspect', 'redrive', 'reemit', 'park', 'purge', 'export', 'import']) {
      expect(overall.stdout).toContain(`\n  ${command}`);
    }
    const { exitCode, stdout } = await runScript('redrive', 'reemit', '--help');
    expect(exitCode).toBe(0);
    expect((await runScript('redrive', 'inspect', '--help')).stdout).toMatch(/--reveal .*personal data/);
    expect((await runScript('redrive', 'export', '--help')).stdout).toMatch(/personal data included.*mode 0600/);
    for (const flag of ['--pattern', '--rate', '--dry-run', '--endpoint']) expect(stdout).toContain(flag);
  });

  test.each([
    [[], 'Which command?'],
    [['redrve'], 'There is no command "redrve": list, inspect'],
    [['inspect', '--colour', 'a'], "Unknown option '--colour'"],
    [['list', '--rate', '3'], 'list takes no --rate'],
    [['redrive'], 'redrive wants <queue>'],
    [['export', 'a'], 'export wants <file.ndjson>'],
    [['inspect', 'a', 'b'], 'inspect does not know what "b" is for'],
    [['inspect', 'a', '--older-than', 'soon'], 'invalid duration "soon"'],
    [['redrive', 'a', '--limit', '0'], '--limit must be a whole number of at least 1, not "0"'],
    [['redrive', 'a', '--rate', '-1'], "'--rate' argument is ambiguous"],
    [['redrive', 'a', '--rate', 'fast'], '--rate must be a number of at least 0.01, not "fast"'],
    [['list', '--stage', 'Dev'], '--stage must be lower-case letters'],
    [['list', '--endpoint', 'localhost:4566'], '--endpoint must be a URL like http://127.0.0.1:4566'],
    [['purge', 'a'], 'purge deletes for good: say --yes'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stdout, stderr } = await runScript('redrive', ...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
  });

  test('an unknown queue or an invalid pattern is one line and exit code 2', async () => {
    const { deadLetterQueue } = await deadOrders(1);
    const unknown = await redrive('inspect', deadLetterQueue.replace('order', 'ordre'));
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain(`did you mean`);
    expect(unknown.stderr).toContain(deadLetterQueue);
    expect(unknown.stderr.trim().split('\n')).toEqual([`Asking stage dev at ${sqs.endpoint}`, expect.anything()]);
    const pattern = await redrive('inspect', deadLetterQueue, '--pattern', '{"source":"x"}');
    expect(pattern).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Event pattern is not valid') });
  });

  test('an endpoint where nobody answers is one line', async () => {
    const { exitCode, stderr } = await runScript('redrive', 'list', '--endpoint', 'http://127.0.0.1:1');
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'Asking stage dev at http://127.0.0.1:1\nNothing answers at http://127.0.0.1:1: is npm start running?\n',
    );
  });

  test('list shows what is dead and why, and says so in its exit code when asked', async () => {
    const { deadLetterQueue } = await deadOrders(4);
    const shown = await redrive('list', '--exit-code');
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout).toMatch(new RegExp(`${deadLetterQueue} +4 +\\d+s +STOCK_TABLE_GONE ×2, SCHEMA_VIOLATION ×2`));
    expect(shown.stdout).not.toContain('parking');
    const json = await redrive('list', '--json', '--all');
    expect(json.exitCode).toBe(0);
    const queues = JSON.parse(json.stdout) as { queue: string; depth: number }[];
    expect(queues.find(({ queue }) => queue === deadLetterQueue)?.depth).toBe(4);
    expect(queues.find(({ queue }) => queue === 'millrace-re-emitter-dev-parking')?.depth).toBe(0);
    const elsewhere = await redrive('list', '--stage', 'staging', '--exit-code');
    expect(elsewhere.exitCode).toBe(2);
    expect(elsewhere.stderr).toContain(`There are no queues of stage staging at ${sqs.endpoint}. Check --stage and`);
  });

  test('inspect shows no personal data unless it is asked to', async () => {
    const { name, deadLetterQueue } = await deadOrders(3);
    const personal = OrderPlaced.example.customer.email;
    const shown = await redrive('inspect', `test.${name}`, '--reason', 'SCHEMA_VIOLATION');
    expect(shown.stdout).toMatch(
      new RegExp(
        [
          '^SCHEMA_VIOLATION  OrderPlaced\\.v1  \\d+s old, 3 attempts',
          '  about        subject-1',
          `  event        ${name}-1`,
          '  message      [0-9a-f-]{36}',
          '  correlation  correlation-1',
          '  Why\\.',
          '  \\{"orderId":',
        ].join('\n'),
      ),
    );
    expect(shown.stdout).not.toContain(`${name}-0`);
    expect(shown.stdout).not.toContain(personal);
    expect(shown.stderr).toContain('1 letter meant, of 3 looked at');
    expect(shown.stdout).toContain('"customer":{"id":"customer-1"}');
    expect((await redrive('inspect', deadLetterQueue, '--reveal')).stdout).toContain(personal);

    const one = ['inspect', deadLetterQueue, '--json', '--id', `${name}-2`];
    const { stdout } = await redrive(...one);
    const [line, ...others] = stdout.trimEnd().split('\n');
    const letter = {
      queue: deadLetterQueue,
      origin: 'consumer',
      event: { id: `${name}-2`, detailType: 'OrderPlaced.v1', correlationId: 'correlation-2' },
      reason: { code: 'STOCK_TABLE_GONE', attempts: 3 },
    };
    expect(others).toEqual([]);
    expect(JSON.parse(line ?? '')).toMatchObject({
      ...letter,
      detail: { metadata: { id: `${name}-2` }, data: { orderId: OrderPlaced.example.orderId } },
    });
    expect(line).not.toContain(personal);
    expect(JSON.parse((await redrive(...one, '--reveal')).stdout)).toMatchObject({
      ...letter,
      body: expect.stringContaining(personal),
    });
    expect((await sqs.contents(deadLetterQueue)).held).toEqual([]);
  });

  test('redrive moves letters back and sums up', async () => {
    const { queue, deadLetterQueue } = await deadOrders(25);
    const dry = await redrive('redrive', deadLetterQueue, '--dry-run');
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`25  would go to ${queue}`) });
    const { exitCode, stdout, stderr } = await redrive('redrive', deadLetterQueue);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`25  redriven to ${queue}`);
    expect(stderr).toMatch(new RegExp(`25 letters of ${deadLetterQueue} in [\\d.]+ s, \\d+/s`));
    expect(await idsIn(deadLetterQueue)).toEqual([]);
    expect(await idsIn(queue)).toHaveLength(25);
  });

  test('reemit without a re-emitter leaves everything, and exits with 1', async () => {
    const { deadLetterQueue } = await deadOrders(2);
    const { exitCode, stdout, stderr } = await redrive('reemit', deadLetterQueue);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('2  left: millrace-re-emitter-dev-reemit did not answer');
    expect(stderr).toContain('is still in the queue');
    expect((await sqs.contents(deadLetterQueue)).ready).toHaveLength(2);
  });

  test('purge deletes when it is told to', async () => {
    const { deadLetterQueue, name } = await deadOrders(3);
    const { exitCode } = await redrive('purge', deadLetterQueue, '--id', `${name}-0`, '--id', `${name}-1`, '--yes');
    expect(exitCode).toBe(0);
    expect(await idsIn(deadLetterQueue)).toEqual([`${name}-2`]);
  });

  test('an exported, edited and imported event is a new one, and the old one is parked', async () => {
    const { deadLetterQueue, name } = await deadOrders(2);
    const file = join(folder, 'letters.ndjson');
    expect((await redrive('export', deadLetterQueue, file)).exitCode).toBe(0);
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    lines[1].event.detail.data.lines = 'none';
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    const refused = await redrive('import', file);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${file}:2: event.detail.data.lines`);
    expect(refused.stderr).toContain('Nothing was imported');

    lines[1].event.detail.data.lines = [{ ...OrderPlaced.example.lines[0], quantity: 7 }];
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    const { exitCode, stdout, stderr } = await redrive('import', file);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const [, newId = ''] = /line 2: (\S+) replaces/.exec(stdout) ?? [];
    expect(stderr).toContain('1 unedited line');
    expect(stderr).toContain(`npm run redrive -- redrive ${deadLetterQueue} --id ${newId}`);
    expect((await idsIn(deadLetterQueue)).sort()).toEqual([newId, `${name}-0`].sort());
    expect(await idsIn('millrace-re-emitter-dev-parking')).toEqual([`${name}-1`]);
  });

  test('Ctrl-C finishes what is under way, gives the rest back, and says how far it came', async () => {
    const { queue, deadLetterQueue } = await deadOrders(60);
    const { child, ended } = startScript('redrive', [
      'redrive',
      deadLetterQueue,
      '--rate',
      '20',
      '--endpoint',
      sqs.endpoint,
    ]);
    await eventually(async () => expect((await idsIn(queue)).length).toBeGreaterThan(0));
    child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('Interrupted: whatever was not handled is still in the queue');
    const moved = await idsIn(queue);
    expect(stdout).toContain(`${moved.length}  redriven to ${queue}`);
    const { ready, held } = await sqs.contents(deadLetterQueue);
    expect(held).toEqual([]);
    expect(moved.length + ready.length).toBe(60);
  });

  test('SIGKILL loses nothing', async () => {
    const { queue, deadLetterQueue } = await deadOrders(200);
    const { child, ended } = startScript('redrive', [
      'redrive',
      deadLetterQueue,
      '--rate',
      '200',
      '--endpoint',
      sqs.endpoint,
    ]);
    await eventually(async () => expect((await idsIn(queue)).length).toBeGreaterThan(20));
    child.kill('SIGKILL');
    await ended;
    expect(new Set([...(await idsIn(queue)), ...(await idsIn(deadLetterQueue))]).size).toBe(200);
  });

  test('a reader that has enough ends a look, which gives everything back', async () => {
    const { deadLetterQueue } = await deadOrders(200);
    const { child, ended } = startScript('redrive', ['inspect', deadLetterQueue, '--json', '--endpoint', sqs.endpoint]);
    child.stdout?.once('data', () => child.stdout?.destroy());
    await ended;
    expect((await sqs.contents(deadLetterQueue)).held).toEqual([]);
  });
});
