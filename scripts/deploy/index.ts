import { dirname, join } from 'node:path';
import { readArguments, runCommand } from '@millrace/command-line';
import { bundleSizes, sizeTable } from '@millrace/workspace/bundle-sizes';
import { packageServices } from '@millrace/workspace/packaging';
import type { ComposedService } from './composition.ts';
import { packageHash } from './package-hash.ts';
import { type PlannedService, planDeployment } from './plan.ts';
import { runEach, runOsls } from './run-osls.ts';
import { checkStackOptions, stackOptions } from './stack-options.ts';
import { createCloudFormation, environmentFor, readDeployed } from './stacks.ts';

const HELP = `Deploys the services in the order of serverless-compose.yml, with \`sls deploy\`.

Usage: npm run deploy -- [options]

  --stage <name>           stage (dev)
  --region <name>          region (us-east-1)
  --service <name>         only this service, e.g. orders; may be repeated
  --only-changed           leave services alone whose template and code are those that are deployed
  --dry-run                say what would be done, and do nothing
  --confirm-replacement    deploy even if a queue, a table or an archive is replaced or removed, with what it holds
  --endpoint <url>         an emulator, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                   show this

Exit codes: 0 done, 1 refused or failed, 2 misused.
`;

const root = dirname(dirname(import.meta.dirname));

function readOptions() {
  const { values } = readArguments({
    options: {
      ...stackOptions,
      'only-changed': { type: 'boolean', default: false },
      'confirm-replacement': { type: 'boolean', default: false },
    },
  });
  return { ...values, ...checkStackOptions(root, values) };
}

type Options = ReturnType<typeof readOptions>;

async function deploy(options: Options): Promise<number> {
  const { stage, region, endpoint, waves } = options;
  const services = waves.flat();
  const packaged = await packageServices({
    directories: services.map(({ directory }) => directory),
    stage,
    region,
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log: (line) => console.log(`${line} …`),
  });
  console.log(sizeTable(bundleSizes(packaged)));
  const candidates = packaged.map(({ stackName, template, functions }, index) => ({
    name: services[index]?.name ?? stackName,
    stackName,
    template,
    packageHash: packageHash({ template, functions }),
  }));
  const client = createCloudFormation(region, endpoint);
  const deployed = await readDeployed(
    client,
    candidates.map(({ stackName }) => stackName),
  );
  const plan = planDeployment(candidates, deployed, { onlyChanged: options['only-changed'] });
  console.log(`Stage ${stage}, ${region}${endpoint === undefined ? '' : ` at ${endpoint}`}:\n${describe(plan)}`);

  const refusal = refuse(plan, options['confirm-replacement']);
  if (refusal !== undefined) {
    console.error(refusal);
    return 1;
  }
  if (options['dry-run']) {
    console.log('Nothing was deployed: this was a dry run.');
    return 0;
  }
  const hashes = new Map(candidates.map(({ name, packageHash: hash }) => [name, hash]));
  const left = new Set(plan.filter(({ action }) => action === 'leave').map(({ name }) => name));
  for (const wave of waves) {
    const failed = await runEach(
      wave.filter(({ name }) => !left.has(name)),
      (service) => deployOne(service, options, hashes.get(service.name) ?? ''),
    );
    if (failed.length > 0) {
      console.error(`Not deployed: ${failed.map(({ name }) => name).join(', ')}. What depends on them was not tried.`);
      return 1;
    }
  }
  console.log(
    `Deployed: ${
      plan
        .filter(({ action }) => action !== 'leave')
        .map(({ name }) => name)
        .join(', ') || 'nothing'
    }`,
  );
  return 0;
}

function deployOne({ name, directory }: ComposedService, { stage, region, endpoint }: Options, hash: string) {
  return runOsls(['deploy', '--stage', stage, '--region', region], {
    directory,
    // The plugin writes the hash into the stack.
    environment: { ...environmentFor(endpoint), MILLRACE_PACKAGE_HASH: hash },
    onLine: (line) => console.log(`${name} | ${line}`),
  });
}

function describe(plan: readonly PlannedService[]): string {
  return plan
    .map(({ name, action }) => `  ${name.padEnd(16)}${action === 'leave' ? 'leave, nothing has changed' : action}`)
    .join('\n');
}

/** Why nothing may be deployed, or undefined. */
function refuse(plan: readonly PlannedService[], confirmed: boolean): string | undefined {
  const problems = plan.flatMap(({ name, problems: all }) => all.map((problem) => `  ${name}: ${problem}`));
  if (problems.length > 0) return `Nothing was deployed:\n${problems.join('\n')}`;
  const losses = plan.flatMap(({ name, losses: all }) =>
    all.map(({ resource, name: physical, cause }) => `  ${name}: ${resource} (${physical ?? 'unnamed'}) ${cause}`),
  );
  if (losses.length === 0) return undefined;
  if (confirmed) {
    console.warn(`What these hold is lost, as confirmed:\n${losses.join('\n')}`);
    return undefined;
  }
  return `Nothing was deployed: what these hold would be lost.\n${losses.join('\n')}\nSave it, or say --confirm-replacement.`;
}

/** Runs the command; its exit code becomes that of the process. */
export const runDeploy = () =>
  runCommand('deploy', () => {
    const options = readOptions();
    if (!options.help) return deploy(options);
    process.stdout.write(HELP);
    return 0;
  });
