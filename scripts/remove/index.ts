import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { readArguments, runCommand } from '@millrace/command-line';
import { type ComposedService, readComposition } from '../deploy/composition.ts';
import { dataOf } from '../deploy/data-losses.ts';
import { type Deployed, removalProblems } from '../deploy/plan.ts';
import { runEach, runOsls } from '../deploy/run-osls.ts';
import { checkStackOptions, stackOptions } from '../deploy/stack-options.ts';
import { createCloudFormation, environmentFor, readDeployed } from '../deploy/stacks.ts';

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

const root = dirname(dirname(import.meta.dirname));

function readOptions() {
  const { values } = readArguments({
    options: { ...stackOptions, yes: { type: 'boolean', default: false } },
  });
  return { ...values, ...checkStackOptions(root, values) };
}

type Options = ReturnType<typeof readOptions>;

async function remove(options: Options): Promise<number> {
  const { stage, region, endpoint } = options;
  const stackOf = ({ directory }: ComposedService) =>
    `millrace-${directory.slice(join(root, 'services').length + 1)}-${stage}`;
  const { stacks } = await readDeployed(
    createCloudFormation(region, endpoint),
    readComposition(root).flat().map(stackOf),
  );
  const waves = options.waves
    .toReversed()
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
    const failed = await runEach(wave, ({ name, directory }) =>
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
    console.error('There is no terminal to ask on: confirm with --yes.');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`Type the name of the stage to remove it: `)) === stage;
  } finally {
    terminal.close();
  }
}

/** Runs the command; its exit code becomes that of the process. */
export const runRemove = () =>
  runCommand('remove', () => {
    const options = readOptions();
    if (!options.help) return remove(options);
    process.stdout.write(HELP);
    return 0;
  });
