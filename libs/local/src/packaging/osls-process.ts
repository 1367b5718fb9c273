import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { CloudFormationTemplate } from '../cloudformation/template.ts';

/** One service to package. */
export interface PackagingTask {
  /** The service's folder; the process works there and leaves `.serverless` in it. */
  directory: string;
  /** Where each function's code goes, as `<output>/<function key>`. */
  output: string;
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
  /** Lambda function name → folder below the task's output. */
  functions: Record<string, string>;
}

/** What the process answers, one message per task in the same order. */
export type PackagingAnswer = { result: PackagingResult } | { error: string };

/** The parts of osls that its command line is made of. They have no type definitions. */
interface OslsModules {
  Serverless: new (
    config: object,
  ) => {
    init(): Promise<void>;
    run(): Promise<void>;
    getProvider(name: 'aws'): { naming: { getStackName(): string } };
    service: {
      service: string;
      package: { artifact?: string };
      getAllFunctions(): string[];
      getFunction(key: string): { name: string; package?: { artifact?: string } };
    };
  };
  readConfiguration(path: string): Promise<{ custom?: { esbuild?: Record<string, unknown> } }>;
  resolveVariablesMeta(configuration: object): Map<string, { error?: Error }>;
  resolveVariables(options: object): Promise<void>;
  sources: Record<string, object>;
  paramSource(serverless: object): object;
  extractZip(file: string, directory: string): Promise<void>;
}

function loadOsls(directory: string): OslsModules {
  const require = createRequire(join(directory, 'package.json'));
  const variables = 'serverless/lib/configuration/variables';
  return {
    Serverless: require('serverless/lib/serverless.js'),
    readConfiguration: require('serverless/lib/configuration/read.js'),
    resolveVariablesMeta: require(`${variables}/resolve-meta.js`),
    resolveVariables: require(`${variables}/resolve.js`),
    sources: {
      env: require(`${variables}/sources/env.js`),
      file: require(`${variables}/sources/file.js`),
      opt: require(`${variables}/sources/opt.js`),
      self: require(`${variables}/sources/self.js`),
      strToBool: require(`${variables}/sources/str-to-bool.js`),
      sls: require(`${variables}/sources/instance-dependent/get-sls.js`)(),
    },
    paramSource: require(`${variables}/sources/instance-dependent/param.js`),
    extractZip: require('serverless/lib/utils/extract-zip.js').extractZip,
  };
}

/** `sls package` of one service, without the command line around it, and its bundles unpacked. */
async function packageService(
  osls: OslsModules,
  { directory, output }: PackagingTask,
  options: { stage: string; region: string },
): Promise<PackagingResult> {
  // esbuild and glob patterns start from the working directory.
  process.chdir(directory);
  const configurationFilename = 'serverless.yml';
  const configuration = await osls.readConfiguration(join(directory, configurationFilename));
  const sources = {
    ...osls.sources,
    param: osls.paramSource({ configurationInput: configuration, processedInput: { options } }),
  };
  const variablesMeta = osls.resolveVariablesMeta(configuration);
  await osls.resolveVariables({
    serviceDir: directory,
    configuration,
    variablesMeta,
    sources,
    options,
    fulfilledSources: new Set(Object.keys(sources)),
  });
  for (const [path, { error }] of variablesMeta) {
    throw error ?? new Error(`${path.replaceAll('\0', '.')} holds a variable that cannot be resolved locally`);
  }

  // esbuild remembers the directory its process started in, which was that of the first service.
  const { custom } = configuration;
  if (custom?.esbuild) custom.esbuild.absWorkingDir = directory;

  const serverless = new osls.Serverless({
    configuration,
    serviceDir: directory,
    configurationFilename,
    commands: ['package'],
    options,
    variablesMeta,
  });
  await serverless.init();
  await serverless.run();

  const { service } = serverless;
  const functions: Record<string, string> = {};
  for (const key of service.getAllFunctions()) {
    const definition = service.getFunction(key);
    const artifact = definition.package?.artifact ?? service.package.artifact;
    if (artifact === undefined) throw new Error(`functions.${key} has no package`);
    const code = join(output, key);
    await mkdir(code, { recursive: true });
    await osls.extractZip(join(directory, artifact), code);
    functions[definition.name] = key;
  }
  const template = await readFile(join(directory, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8');
  return {
    name: service.service,
    stackName: serverless.getProvider('aws').naming.getStackName(),
    template: JSON.parse(template),
    functions,
  };
}

function send(answer: PackagingAnswer): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(answer, undefined, undefined, () => resolve());
  });
}

process.once('message', async ({ tasks, stage, region }: PackagingOrder) => {
  for (const task of tasks) {
    try {
      await send({ result: await packageService(loadOsls(task.directory), task, { stage, region }) });
    } catch (error) {
      await send({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  // After a failed build esbuild's own process is still there and would keep this one alive.
  process.exit();
});

// Whoever gave the order is gone.
process.once('disconnect', () => process.exit());
