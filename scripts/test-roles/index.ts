import { readArguments, runCommand, UsageError } from '@millrace/command-line';
import { exercise } from '../../test/roles/exercise.ts';
import { describeGrant, type Grant, grantsOf } from '../../test/roles/grants.ts';
import { type RunningShop, startShop } from '../../test/roles/running-shop.ts';
import { type Withheld, withhold } from '../../test/roles/withhold.ts';

const HELP = `Takes every statement of every function's role away, one at a time, while the services run on this machine, and runs an
exercise that uses every permission. A statement that nobody misses is superfluous, or the exercise is incomplete.

Usage: npm run test:roles -- [options]

  --function <name>   only this function's statements, e.g. orders-dev-relay or relay; may be repeated
  --actions           take each action of a statement away by itself
  --outcomes          wait until an effect is missed, instead of ending at the first refusal: takes several times longer
  --help              show this

Exit codes: 0 every statement was missed, 1 one was not, or the exercise fails without any taken away, 2 misused.`;

/** Runs the command; its exit code becomes that of the process. */
export const runTestRoles = () => runCommand('test:roles', main);

async function main(): Promise<number> {
  const { values } = readArguments({
    options: {
      function: { type: 'string', multiple: true, default: [] },
      actions: { type: 'boolean', default: false },
      outcomes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  console.log('Starting all services …');
  const running = await startShop();
  try {
    const grants = select(grantsOf(running.runtime), values.function);
    const removals = grants.flatMap((grant) =>
      (values.actions ? grant.actions : [undefined]).map((action) => ({ grant, action })),
    );
    return await testAll(running, removals, !values.outcomes);
  } finally {
    await running.stop();
  }
}

/** @throws UsageError for a name that no function has */
function select(grants: readonly Grant[], names: readonly string[]): readonly Grant[] {
  const isNamed = (functionName: string, name: string): boolean =>
    functionName === name || functionName.endsWith(`-${name}`);
  const functionNames = [...new Set(grants.map(({ functionName }) => functionName))];
  const unknown = names.find((name) => !functionNames.some((functionName) => isNamed(functionName, name)));
  if (unknown !== undefined) {
    throw new UsageError(`--function ${unknown}: there is no such function; there are ${functionNames.join(', ')}`);
  }
  return names.length === 0
    ? grants
    : grants.filter(({ functionName }) => names.some((name) => isNamed(functionName, name)));
}

async function testAll(
  running: RunningShop,
  removals: readonly Pick<Withheld, 'grant' | 'action'>[],
  failFast: boolean,
): Promise<number> {
  const started = performance.now();
  await exercise(running, { failFast });
  console.log(`The exercise takes ${secondsSince(started)} s. Without\n`);
  const unmissed: Withheld[] = [];
  for (const { grant, action } of removals) {
    let result = await withhold(running, grant, { action, failFast });
    if (failFast && result.missedBy !== undefined && !result.missedBy.startsWith('refused:')) {
      // What the removal before has left behind may be the cause: the exercise has to pass with the grant, and to fail again without it.
      await exercise(running, { failFast });
      result = await withhold(running, grant, { action, failFast });
    }
    console.log(line(result));
    if (result.missedBy === undefined) unmissed.push(result);
  }
  await exercise(running, { failFast });
  console.log(
    `\n${removals.length} were taken away in ${secondsSince(started)} s: ${removals.length - unmissed.length} were missed, ${unmissed.length} were not`,
  );
  for (const { grant, action } of unmissed)
    console.log(`  unused: ${grant.functionName} ${describeGrant(grant, action)}`);
  return unmissed.length === 0 ? 0 : 1;
}

function line({ grant, action, missedBy = 'NOBODY MISSED IT', seconds }: Withheld): string {
  return `${grant.functionName.padEnd(44)} ${describeGrant(grant, action).padEnd(80)} ${seconds.toFixed(1).padStart(5)} s  ${missedBy}`;
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
