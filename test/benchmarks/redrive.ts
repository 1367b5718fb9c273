/**
 * `npm run bench:redrive`: fills a dead-letter queue of the local runtime, redrives it with the command line while its
 * consumer works, and prints how fast letters moved and how fast they were handled; then does it again while the command is
 * killed, and sees each letter have its effect once.
 */
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { Aws } from '../end-to-end/aws.ts';
import { Operator } from '../end-to-end/operator.ts';
import { redriveUnderFire } from '../end-to-end/redrive-under-fire.ts';
import { type System, startSystem } from '../end-to-end/system.ts';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';

const HELP = `Measures npm run redrive against the local runtime.

Usage: npm run bench:redrive -- [options]

  --letters <n>   dead letters (5000)
  --kills <n>     how often the command is killed in the last run, at random (3; 0: no such run)
  --help          show this

Exit codes: 0 done, 1 a letter had its effect more or less than once, or something failed, 2 misused.`;

await runCommand('bench:redrive', async () => {
  const { values } = readArguments({
    options: { letters: { type: 'string' }, kills: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const letters = readNumber('letters', values.letters, { minimum: 1, whole: true }) ?? 5000;
  const kills = readNumber('kills', values.kills, { minimum: 0, whole: true }) ?? 3;
  const system = await startSystem({ shuffle: false });
  try {
    return await measure(system, letters, kills);
  } finally {
    await system.stop();
  }
});

/** @returns the exit code */
async function measure(system: System, letters: number, kills: number): Promise<number> {
  const aws = new Aws(system);
  const operator = new Operator(system);
  const queueUrl = await aws.queueUrl('probe', 'on-probe-applied-dlq');
  const bodies = Array.from({ length: letters }, () =>
    envelopeText(sampleEvent(ProbeApplied, { probeId: randomUUID(), group: 'bench' })),
  );
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`);

  for (const command of ['redrive', 'reemit'] as const) {
    await aws.sendAll(queueUrl, bodies);
    const startedAt = performance.now();
    const { exitCode, stderr } = await operator.redrive(command, 'probe.onProbeApplied');
    const movedAt = performance.now();
    await aws.quiet(600_000);
    const handledAt = performance.now();
    const perSecond = (until: number) => `${Math.round((letters / (until - startedAt)) * 1000)}/s`;
    const summary = stderr.trim().split('\n').at(-1);
    console.log(`${command.padEnd(8)} exit ${exitCode}   ${summary}`);
    console.log(`         moved ${perSecond(movedAt)} with the command's start, handled ${perSecond(handledAt)}`);
  }

  if (kills > 0) {
    const effects = await redriveUnderFire(system, letters, kills);
    const once = effects.filter((count) => count === 1).length;
    console.log(`redrive, killed ${kills} times: ${once} of ${letters} letters had their effect once`);
    if (once !== letters || effects.length !== letters) return 1;
  }
  return 0;
}
