/**
 * `npm run remove`: removes the services of a stage, those that depend on others first. `npm run remove -- --help` lists
 * the options.
 */
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readEndpoint, readStage, UsageError } from '@millrace/dead-letters/operations';
import { type ComposedService, readComposition, selectServices } from './deploy/composition.ts';
import { dataOf } from './deploy/data-losses.ts';
import { type Deployed, removalProblems } from './deploy/plan.ts';
import { runEach, runOsls } from './deploy/run-osls.ts';
import { createCloudFormation, environmentFor, readDeployed } from './deploy/stacks.ts';

const HELP = `Removes the services of a stage with \`sls remove\`, in the reverse order of serverless-compose.yml.

Usage: npm run remove -- [options]

  --stage <name>     stage (dev)
  --region <name>    region (us-east-1)
  --service <name>   only this service, e.g. orders; may be repeated
  --dry-run          say what would be removed, and remove nothing
  --yes              do not ask
  --endpoint <url>   an emulator, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help             show this

Exit codes: 0 done, 1 refused or failed, 2 misused.
`;

/** Stacks that are removed side by side. */
const atOnce = 4;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function readOptions() {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      region: { type: 'string', default: 'us-east-1' },
      service: { type: 'string', multiple: true, default: [] },
      'dry-run': { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      endpoint: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const everything = readComposition(root);
  return {
    ...values,
    stage: readStage(values.stage),
    endpoint: readEndpoint(values.endpoint),
    everything: everything.flat(),
    waves: selectServices(everything, values.service).reverse(),
  };
}

type Options = ReturnType<typeof readOptions>;

async function remove(options: Options): Promise<number> {
  const { stage, region, endpoint, everything } = options;
  const stackOf = ({ directory }: ComposedService) =>
    `millrace-${directory.slice(join(root, 'services').length + 1)}-${stage}`;
  const { stacks } = await readDeployed(createCloudFormation(region, endpoint), everything.map(stackOf));
  const waves = options.waves
    .map((wave) => wave.filter((service) => stacks.has(stackOf(service))))
    .filter((wave) => wave.length > 0);
  const names = waves.flat().map(stackOf);
  if (names.length === 0) {
    console.log(`Nothing is deployed at stage ${stage}, ${region}.`);
    return 0;
  }
  console.log(`To be removed at stage ${stage}, ${region}:\n${names.map((name) => describe(name, stacks)).join('\n')}`);
  const problems = removalProblems(names, stacks);
  if (problems.length > 0) {
    console.error(`Nothing was removed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    return 1;
  }
  if (options['dry-run']) {
    console.log('Nothing was removed: this was a dry run.');
    return 0;
  }
  if (!options.yes && !(await confirm(stage))) {
    console.error('Nothing was removed.');
    return 1;
  }
  for (const wave of waves) {
    const failed = await runEach(wave, atOnce, ({ name, directory }) =>
      runOsls(['remove', '--stage', stage, '--region', region], {
        directory,
        environment: environmentFor(endpoint),
        onLine: (line) => console.log(`${name} | ${line}`),
      }),
    );
    if (failed.length > 0) {
      console.error(`Not removed: ${failed.map(({ name }) => name).join(', ')}. What they depend on was not tried.`);
      return 1;
    }
  }
  console.log(`Removed: ${names.join(', ')}`);
  return 0;
}

function describe(name: string, stacks: Deployed['stacks']): string {
  const data = dataOf(stacks.get(name)?.template ?? {});
  const list = (stays: boolean) => data.filter((each) => each.stays === stays).map((each) => each.name);
  const lost = list(false);
  const kept = list(true);
  return [
    `  ${name}`,
    ...(lost.length > 0 ? [`    with what is in ${lost.join(', ')}`] : []),
    ...(kept.length > 0 ? [`    but for ${kept.join(', ')}, which stay`] : []),
  ].join('\n');
}

async function confirm(stage: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    console.error('Nobody is there to be asked: say --yes.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`Type the name of the stage to remove it: `)) === stage;
  } finally {
    terminal.close();
  }
}

try {
  const options = readOptions();
  if (options.help) process.stdout.write(HELP);
  else process.exitCode = await remove(options);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const misused = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(misused ? `${message}\nRun npm run remove -- --help for what there is.` : `Cannot remove: ${message}`);
  process.exitCode = misused ? 2 : 1;
}
