/**
 * `npm run bench:redrive`: fills a dead-letter queue of the local runtime, redrives it with the command line while its
 * consumer works, and prints how fast letters moved and how fast they were handled.
 */
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { Aws } from '../end-to-end/aws.ts';
import { Operator } from '../end-to-end/operator.ts';
import { startSystem } from '../end-to-end/system.ts';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';

const help = `Measures npm run redrive against the local runtime.

Usage: npm run bench:redrive -- [--letters 5000]`;

function readLetters(): number {
  try {
    const { values } = parseArgs({
      options: { letters: { type: 'string', default: '5000' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const letters = Number(values.letters);
    if (!Number.isInteger(letters) || letters < 1) throw new Error('--letters must be a whole number from 1 up');
    return letters;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

const letters = readLetters();
const system = await startSystem();
try {
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
} finally {
  await system.stop();
}
