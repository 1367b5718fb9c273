import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { format } from 'node:util';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { BundleError, type BundleOptions, bundleFunctions } from './bundle-functions.ts';
import { codeFolder, metafileName, provide, warningsName } from './cache-folders.ts';

/** One service to package. */
export interface PackagingTask {
  /** The service's own folder, which is only read. */
  source: string;
  /** Its mirror: osls works there and leaves `.serverless` in it. */
  mirror: string;
  /** A hash of all that may go into the bundles. */
  contents: string;
  /** The cache's folder with the bundles of the service; undefined when none are wanted. */
  bundles: string | undefined;
}

/** What the process is told, in one message. */
export interface PackagingOrder {
  tasks: PackagingTask[];
  stage: string;
  region: string;
}

/** What osls made of a service. */
export interface PackagingResult {
  name: string;
  stackName: string;
  template: CloudFormationTemplate;
  /** Tags of the stack, which CloudFormation hands on to every resource that takes tags. */
  stackTags: Record<string, string>;
  /** Lambda function names. */
  functions: string[];
  /** Of osls. */
  warnings: string[];
  /** Name of the folder with its bundles, if they were wanted. */
  bundle?: string;
}

/** What the process answers, one message per task in the same order. */
export type PackagingAnswer = { result: PackagingResult } | { problems: readonly string[] };

/** A serverless.yml whose variables are resolved, as far as packaging reads or changes it. */
interface Configuration {
  plugins?: string[];
  custom?: { esbuild?: BundleOptions };
  functions?: Record<string, { handler?: string; package?: { artifact: string } }>;
}

/** The parts of osls its command line is made of. They have no type definitions. */
interface Serverless {
  init(): Promise<void>;
  run(): Promise<void>;
  getProvider(name: 'aws'): { naming: { getStackName(): string } };
  pluginManager: {
    plugins: {
      saveServiceState?: () => Promise<void>;
      /** Of @millrace/serverless-consumers: compares code with serverless.yml. */
      checkBundles?: (codeFolder: string) => Promise<void>;
    }[];
  };
  service: {
    service: string;
    provider: { stackTags?: Record<string, string> };
    getAllFunctions(): string[];
    getFunction(key: string): { name: string };
  };
}

const require = createRequire(import.meta.url);
const configurationFilename = 'serverless.yml';

/** Reads serverless.yml and resolves every variable that needs no AWS account. */
async function readConfiguration(directory: string, options: object): Promise<Configuration> {
  const variables = 'serverless/lib/configuration/variables';
  const configuration = await require('serverless/lib/configuration/read.js')(join(directory, configurationFilename));
  const sources: Record<string, unknown> = {
    env: require(`${variables}/sources/env.js`),
    file: require(`${variables}/sources/file.js`),
    opt: require(`${variables}/sources/opt.js`),
    self: require(`${variables}/sources/self.js`),
    strToBool: require(`${variables}/sources/str-to-bool.js`),
    sls: require(`${variables}/sources/instance-dependent/get-sls.js`)(),
  };
  const variablesMeta: Map<string, { error?: Error }> = require(`${variables}/resolve-meta.js`)(configuration);
  const resolveVariables = () =>
    require(`${variables}/resolve.js`)({
      serviceDir: directory,
      configuration,
      variablesMeta,
      sources,
      options,
      fulfilledSources: new Set(Object.keys(sources)),
    });
  // As `sls` does: the section `params` may come from a file, which has to be read before one of them is asked for.
  await resolveVariables();
  sources.param = require(`${variables}/sources/instance-dependent/param.js`)({
    configurationInput: configuration,
    processedInput: { options },
  });
  await resolveVariables();
  for (const [path, { error }] of variablesMeta) {
    throw error ?? new Error(`${path.replaceAll('\0', '.')} holds a variable that cannot be resolved without AWS`);
  }
  // A list of mappings becomes one, as osls does later.
  if (Array.isArray(configuration.functions)) configuration.functions = Object.assign({}, ...configuration.functions);
  return configuration;
}

/**
 * Bundles the functions, unless that has been done: stages differ in their templates, seldom in their code.
 * @returns the name of the folder with the bundles, below `bundles`
 */
async function bundle(
  configuration: Configuration,
  { source, contents, bundles }: PackagingTask & { bundles: string },
): Promise<string> {
  const options = configuration.custom?.esbuild ?? {};
  const handlers = Object.fromEntries(
    Object.entries(configuration.functions ?? {}).map(([key, { handler = '' }]) => [key, handler]),
  );
  const name = createHash('sha256')
    .update(JSON.stringify([contents, handlers, options]))
    .digest('hex')
    .slice(0, 20);
  await provide(join(bundles, name), async (draft) => {
    await mkdir(join(draft, codeFolder), { recursive: true });
    const { metafile, warnings } = await bundleFunctions(source, handlers, options, join(draft, codeFolder));
    await writeFile(join(draft, metafileName), JSON.stringify(metafile));
    await writeFile(join(draft, warningsName), JSON.stringify(warnings));
  });
  return name;
}

/** Takes down what osls and its plugins warn of, which only its command line would print. */
function collectWarnings(): { stop: () => string[] } {
  interface LogEvent {
    logger: { level: string };
    messageTokens: unknown[];
  }
  const emitter: EventEmitter = createRequire(require.resolve('serverless/lib/serverless.js'))('log/lib/emitter');
  const warnings: string[] = [];
  const note = ({ logger, messageTokens }: LogEvent) => {
    if (logger.level === 'warning' && messageTokens.length > 0) warnings.push(format(...messageTokens));
  };
  emitter.on('log', note);
  return {
    stop: () => {
      emitter.off('log', note);
      return warnings;
    },
  };
}

/** `sls package` without the command line around it, and with a stand-in for the code: that is bundled separately. */
async function compileTemplate(
  configuration: Configuration,
  { mirror }: PackagingTask,
  options: object,
): Promise<{ template: PackagingResult; checkBundles: (codeFolder: string) => Promise<void> }> {
  configuration.plugins = configuration.plugins?.filter((name) => name !== 'serverless-esbuild') ?? [];
  const artifact = 'code.zip';
  await writeFile(join(mirror, artifact), '');
  for (const definition of Object.values(configuration.functions ?? {})) definition.package = { artifact };

  // osls resolves artifacts and glob patterns from the working directory.
  process.chdir(mirror);
  const warnings = collectWarnings();
  const Osls: new (config: object) => Serverless = require('serverless/lib/serverless.js');
  const serverless = new Osls({
    configuration,
    serviceDir: mirror,
    configurationFilename,
    commands: ['package'],
    options,
    variablesMeta: new Map(),
  });
  await serverless.init();
  for (const plugin of serverless.pluginManager.plugins) {
    // serverless-state.json, which only a later `sls deploy --package` reads: to write it takes a fifth of the time.
    if (plugin.saveServiceState) plugin.saveServiceState = async () => {};
  }
  await serverless.run();

  const template = await readFile(join(mirror, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8');
  const { service, pluginManager } = serverless;
  const result = {
    name: service.service,
    stackName: serverless.getProvider('aws').naming.getStackName(),
    template: JSON.parse(template),
    stackTags: service.provider.stackTags ?? {},
    functions: service.getAllFunctions().map((key) => service.getFunction(key).name),
    warnings: warnings.stop(),
  };
  return {
    template: result,
    checkBundles: async (codeFolder) => {
      for (const plugin of pluginManager.plugins) await plugin.checkBundles?.(codeFolder);
    },
  };
}

/** A service whose template is compiled. */
interface Packaged {
  result: PackagingResult;
  /** Rejects when the code is not what the template says of it. */
  checked: Promise<void>;
}

/** esbuild works in a process of its own, so all bundles are under way while osls is being loaded. */
async function startPackaging(task: PackagingTask, options: object): Promise<() => Promise<Packaged>> {
  try {
    const configuration = await readConfiguration(task.mirror, options);
    const { bundles } = task;
    const bundling = Promise.allSettled([
      bundles === undefined ? undefined : bundle(configuration, { ...task, bundles }),
    ]);
    return async () => {
      const { template, checkBundles } = await compileTemplate(configuration, task, options);
      const [bundled] = await bundling;
      if (bundled.status === 'rejected') throw bundled.reason;
      if (bundles === undefined || bundled.value === undefined) return { result: template, checked: Promise.resolve() };
      return {
        result: { ...template, bundle: bundled.value },
        checked: checkBundles(join(bundles, bundled.value, codeFolder)),
      };
    };
  } catch (error) {
    return () => Promise.reject(error);
  }
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof BundleError) return error.problems;
  return [error instanceof Error ? error.message : String(error)];
}

function send(answer: PackagingAnswer): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(answer, undefined, undefined, () => resolve());
  });
}

process.once('message', async ({ tasks, stage, region }: PackagingOrder) => {
  const started = await Promise.all(tasks.map((task) => startPackaging(task, { stage, region })));
  const answers: Promise<PackagingAnswer>[] = [];
  for (const finish of started) {
    // The code of one service is looked at while osls compiles the template of the next.
    const packaged = finish();
    await packaged.catch(() => undefined);
    answers.push(
      packaged
        .then(({ result, checked }) => checked.then(() => ({ result })))
        .catch((error: unknown) => ({ problems: problemsOf(error) })),
    );
  }
  for (const answer of answers) await send(await answer);
  // esbuild's own process would keep this one alive.
  process.exit();
});

// Whoever gave the order is gone.
process.once('disconnect', () => process.exit());
