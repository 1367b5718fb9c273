import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { findWorkspaceRoot, serviceDirectories } from '../catalogue.ts';
import { codeFolder, metafileName, provide, warningsName } from './cache-folders.ts';
import { contentHash } from './content-hash.ts';
import type { PackagingAnswer, PackagingOrder, PackagingResult } from './osls-process.ts';
import { WorkspaceMirror } from './workspace-mirror.ts';

/** What CloudFormation would be given of a service. */
export interface CompiledService {
  /** `millrace-inventory` */
  name: string;
  /** Absolute path of the service's folder. */
  directory: string;
  /** `millrace-inventory-dev` */
  stackName: string;
  template: CloudFormationTemplate;
  /** Tags of the stack, which CloudFormation hands on to every resource that takes tags. */
  stackTags: Record<string, string>;
  /** Each with its file. The same one may come from several services. */
  warnings: string[];
}

/** A service as it would be deployed: its compiled template and the folder with its functions' bundles. */
export interface PackagedService extends CompiledService {
  /** By Lambda function name, e.g. `millrace-inventory-dev-putStock`. */
  functions: Map<string, { codeDirectory: string }>;
  /** esbuild's record of what went into the bundles; its paths start at `directory`. https://esbuild.github.io/api/#metafile */
  metafile: string;
}

/** What the cache holds of a service: its packages by stage, the bundles that they share, and templates without bundles. */
const packagesFolder = 'packages';
const bundlesFolder = 'bundles';
const templatesFolder = 'templates';
/** Beside the services: osls as V8 has compiled it, which saves a tenth of the time. */
const compiledFolder = '.compiled';
/** In a package's folder. */
const resultName = 'service.json';

export interface PackagingOptions {
  /** Absolute paths of service folders of one workspace. */
  directories: string[];
  stage: string;
  region: string;
  /** Is created when missing. Any number of processes may share it. */
  cacheDirectory: string;
  /** Gets a line when something has to be packaged. */
  log?: (line: string) => void;
}

/**
 * Packages services as `sls package` does, all in one process, or takes them from the cache when nothing that goes into
 * them has changed: their own files, all libs, all events, serverless.*.yml at the root, package-lock.json, stage, region and
 * the Node version. Stages whose bundles are the same share them.
 *
 * @returns the services in the order of `directories`
 * @throws Error with one line for each mistake, naming its file
 */
export function packageServices(options: PackagingOptions): Promise<PackagedService[]> {
  return provideServices(options, {
    verb: 'Packaging',
    read: readPackage,
    folderOf: ({ folder }) => folder,
    bundlesOf: ({ bundles }) => bundles,
  });
}

/**
 * Compiles the templates of services as `packageServices` does, and leaves their code aside: what a template says needs no
 * bundles, and those take most of the time.
 *
 * @returns the services in the order of `directories`
 * @throws Error with one line for each mistake, naming its file
 */
export function compileTemplates(options: PackagingOptions): Promise<CompiledService[]> {
  return provideServices(options, {
    verb: 'Compiling the templates of',
    read: (place) => readPackage(place) ?? readTemplate(place),
    folderOf: ({ template }) => template,
    bundlesOf: () => undefined,
  });
}

/** How something is made of services that the cache does not hold yet. */
interface Making<Service> {
  verb: string;
  /** From the cache; undefined when it is not there. */
  read: (place: Place) => Service | undefined;
  /** Where it goes. */
  folderOf: (place: Place) => string;
  /** Where bundles go, unless none are made. */
  bundlesOf: (place: Place) => string | undefined;
}

async function provideServices<Service>(options: PackagingOptions, making: Making<Service>): Promise<Service[]> {
  const { directories, stage, region, cacheDirectory, log } = options;
  const [first] = directories;
  if (first === undefined) return [];
  const root = findWorkspaceRoot(first);
  for (const directory of directories) {
    if (existsSync(join(directory, 'serverless.yml'))) continue;
    throw new Error(`${relative(root, directory)} has no serverless.yml`);
  }

  const shared = contentHash(root, sharedInputs(root), { node: process.version, arch: process.arch });
  const places = directories.map((directory): Place => {
    const contents = contentHash(root, [directory], { shared });
    const name = createHash('sha256')
      .update(JSON.stringify([contents, stage, region]))
      .digest('hex')
      .slice(0, 20);
    const cache = join(cacheDirectory, basename(directory));
    return {
      directory,
      contents,
      folder: join(cache, packagesFolder, name),
      bundles: join(cache, bundlesFolder),
      template: join(cache, templatesFolder, name),
    };
  });

  const cached = places.map(making.read);
  const missing = places.filter((_, index) => cached[index] === undefined);
  if (missing.length > 0) {
    log?.(`${making.verb} ${missing.map(({ directory }) => basename(directory)).join(', ')}`);
    await packageInto(root, missing, options, making);
  }
  return places.map((place, index) => {
    const service = cached[index] ?? making.read(place);
    if (!service)
      throw new Error(`${making.folderOf(place)} has gone: another process has packaged too much meanwhile`);
    return service;
  });
}

/** What every service's package may depend on. */
function sharedInputs(root: string): string[] {
  const libs = readdirSync(join(root, 'libs')).flatMap((lib) =>
    ['package.json', 'src'].map((name) => join(root, 'libs', lib, name)),
  );
  const contracts = serviceDirectories(root).map((directory) => join(directory, 'events'));
  const files = [
    'serverless.common.yml',
    'serverless.stages.yml',
    'serverless.outbox.yml',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ].map((name) => join(root, name));
  return [...libs, ...contracts, ...files];
}

/** A service, and where the cache has or gets what is made of it. */
interface Place {
  directory: string;
  /** A hash of all that may go into its bundles. */
  contents: string;
  /** Of the package. */
  folder: string;
  /** Of all its bundles. */
  bundles: string;
  /** Of the template, when it is made without a package. */
  template: string;
}

async function packageInto(
  root: string,
  missing: Place[],
  { stage, region, cacheDirectory }: PackagingOptions,
  { folderOf, bundlesOf }: Pick<Making<unknown>, 'folderOf' | 'bundlesOf'>,
): Promise<void> {
  const mirror = new WorkspaceMirror(
    root,
    missing.map(({ directory }) => directory),
  );
  const problems: { directory: string; text: string }[] = [];
  try {
    const tasks = missing.map((place) => ({
      source: place.directory,
      mirror: mirror.pathOf(place.directory),
      contents: place.contents,
      bundles: bundlesOf(place),
    }));
    const answers = await runPackaging({ tasks, stage, region }, join(cacheDirectory, compiledFolder));
    for (const [index, place] of missing.entries()) {
      const answer = answers[index];
      if (answer && 'result' in answer) {
        await provide(folderOf(place), (draft) =>
          writeFileSync(join(draft, resultName), JSON.stringify(answer.result)),
        );
        continue;
      }
      for (const text of answer?.problems ?? ['not packaged']) {
        problems.push({ directory: place.directory, text: mirror.translate(oneLine(text)) });
      }
    }
  } finally {
    mirror.remove();
  }
  if (problems.length > 0) throw new Error(distinctProblems(root, problems).join('\n'));
}

/** @returns undefined when the cache has no such package, or no longer its bundles */
function readPackage({ directory, folder, bundles }: Place): PackagedService | undefined {
  const result = readResult(folder);
  const bundleFolder = join(bundles, result?.bundle ?? '');
  if (result?.bundle === undefined || !existsSync(bundleFolder)) return undefined;
  return {
    ...serviceOf(directory, result, JSON.parse(readFileSync(join(bundleFolder, warningsName), 'utf8'))),
    functions: new Map(result.functions.map((name) => [name, { codeDirectory: join(bundleFolder, codeFolder) }])),
    metafile: join(bundleFolder, metafileName),
  };
}

function readTemplate({ directory, template }: Place): CompiledService | undefined {
  const result = readResult(template);
  return result && serviceOf(directory, result);
}

function readResult(folder: string): PackagingResult | undefined {
  if (!existsSync(folder)) return undefined;
  return JSON.parse(readFileSync(join(folder, resultName), 'utf8')) as PackagingResult;
}

function serviceOf(directory: string, result: PackagingResult, bundleWarnings: string[] = []): CompiledService {
  const { name, stackName, template, stackTags, warnings } = result;
  const root = findWorkspaceRoot(directory);
  const located = [...warnings, ...bundleWarnings].map((text) => withFile(root, directory, oneLine(text)));
  return { name, directory, stackName, template, stackTags, warnings: located };
}

/** Files of the root that every serverless.yml takes a part of. */
const sharedTemplates = ['serverless.common.yml', 'serverless.stages.yml', 'serverless.outbox.yml'];

/** One line for each mistake: one in a file that services share is found in each of them. */
function distinctProblems(root: string, problems: readonly { directory: string; text: string }[]): string[] {
  const byText = new Map<string, Set<string>>();
  for (const { directory, text } of problems) {
    // osls names the file that it cannot parse by the end of its path, cut anywhere.
    const line = withFile(
      root,
      directory,
      text.replace(/Cannot parse "[^"]*": (?=.* in "[^"]*serverless\.\w+\.yml")/, 'Cannot parse: '),
    );
    const file = `${relative(root, join(directory, 'serverless.yml'))}: `;
    const problem = line.startsWith(file) ? line.slice(file.length) : line;
    byText.set(problem, (byText.get(problem) ?? new Set()).add(line.startsWith(file) ? file : ''));
  }
  return [...byText].map(([problem, files]) => {
    const [first = ''] = files;
    if (files.size === 1) return first + problem;
    const named = sharedTemplates.filter((name) => problem.includes(name));
    const shared = named.length > 0 ? named : sharedTemplates;
    return `${shared.join(' or ')}: ${problem} (found in ${files.size} services, from ${first.slice(0, -2)} on)`;
  });
}

/**
 * A problem or a warning with the file that it is about, from the workspace's root on. A text that does not begin with one is
 * about the service's serverless.yml. What several services share is so told in the same words by each.
 */
function withFile(root: string, directory: string, text: string): string {
  const relativeText = text.replaceAll(`${root}/`, '');
  if (/^[^\s:]+\.(ts|mts|js|mjs|cjs|json|ya?ml)(:\d+)*: /.test(relativeText)) return relativeText;
  return `${relative(root, join(directory, 'serverless.yml'))}: ${relativeText}`;
}

/** How long a process may take to end once it has answered everything. */
const LONGEST_EXIT_MS = 3_000;

/**
 * Runs osls in a process of its own: it changes the working directory, and its modules need not stay in memory.
 * @returns an answer per task; if the process dies, its last words stand for the missing ones
 */
function runPackaging(order: PackagingOrder, compileCache: string): Promise<PackagingAnswer[]> {
  const child = fork(fileURLToPath(new URL('./osls-process.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
  const kill = (): void => void child.kill('SIGKILL');
  // Before the mirror, in which it writes, is removed.
  process.prependOnceListener('exit', kill);
  const answers: PackagingAnswer[] = [];
  let late: NodeJS.Timeout | undefined;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2000);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('message', (answer: PackagingAnswer) => {
      answers.push(answer);
      // Node may hang for ever while it exits. https://github.com/nodejs/node/issues/54918
      if (answers.length === order.tasks.length) late = setTimeout(kill, LONGEST_EXIT_MS);
    });
    child.on('close', () => {
      clearTimeout(late);
      process.off('exit', kill);
      while (answers.length < order.tasks.length) answers.push({ problems: [`packaging ended early: ${output}`] });
      resolve(answers);
    });
    child.send(order);
  });
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
