import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/events/catalogue';
import type { CloudFormationTemplate } from './cloudformation/template.ts';
import { contentHash } from './packaging/content-hash.ts';
import type { PackagingAnswer, PackagingOrder, PackagingResult } from './packaging/osls-process.ts';
import { WorkspaceMirror } from './packaging/workspace-mirror.ts';

/** A service as it would be deployed: its compiled template and the folder with its functions' bundles. */
export interface PackagedService {
  /** `millrace-inventory` */
  name: string;
  /** Absolute path of the service's folder. */
  directory: string;
  /** `millrace-inventory-dev` */
  stackName: string;
  template: CloudFormationTemplate;
  /** Tags of the stack, which CloudFormation hands on to every resource that takes tags. */
  stackTags: Record<string, string>;
  /** By Lambda function name, e.g. `millrace-inventory-dev-putStock`. */
  functions: Map<string, { codeDirectory: string }>;
  /** esbuild's record of what went into the bundles; its paths start at `directory`. https://esbuild.github.io/api/#metafile */
  metafile: string;
}

/** Packages of one service that stay in the cache: switching between branches or stages is then free. */
const packagesKept = 10;

/** Holds the bundles of all functions, beside service.json. */
const codeFolder = 'code';

/** Stands beside it, since it is not deployed. */
const metafileName = 'metafile.json';

/**
 * Packages services as `sls package` does, all in one process, or takes them from the cache when nothing that goes into
 * them has changed: their own files, all libs, all events, serverless.*.yml at the root, package-lock.json, stage, region and
 * the Node version. Any number of processes may share the cache.
 *
 * @param options.directories absolute paths of service folders of one workspace
 * @param options.cacheDirectory is created when missing
 * @param options.log gets a line when something has to be packaged
 * @returns the services in the order of `directories`
 * @throws Error with one line for each service that could not be packaged, naming its serverless.yml
 */
export async function packageServices(options: {
  directories: string[];
  stage: string;
  region: string;
  cacheDirectory: string;
  log?: (line: string) => void;
}): Promise<PackagedService[]> {
  const { directories, stage, region, cacheDirectory, log } = options;
  const [first] = directories;
  if (first === undefined) return [];
  const root = findWorkspaceRoot(first);
  for (const directory of directories) {
    if (existsSync(join(directory, 'serverless.yml'))) continue;
    throw new Error(`${relative(root, directory)} has no serverless.yml`);
  }

  const shared = contentHash(root, sharedInputs(root), { stage, region, node: process.version, arch: process.arch });
  const packages = directories.map((directory) => ({
    directory,
    folder: join(cacheDirectory, basename(directory), contentHash(root, [directory], { shared }).slice(0, 20)),
  }));

  const missing = packages.filter(({ folder }) => !existsSync(folder));
  if (missing.length > 0) {
    log?.(`Packaging ${missing.map(({ directory }) => basename(directory)).join(', ')}`);
    await packageInto(root, missing, { stage, region });
  }
  return packages.map(({ directory, folder }) => readPackage(directory, folder));
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

interface MissingPackage {
  directory: string;
  /** The package's place in the cache. */
  folder: string;
}

/** Packages into folders beside the final ones and renames them, so that a folder in the cache is always complete. */
async function packageInto(
  root: string,
  missing: MissingPackage[],
  { stage, region }: { stage: string; region: string },
): Promise<void> {
  const mirror = new WorkspaceMirror(
    root,
    missing.map(({ directory }) => directory),
  );
  const drafts = missing.map(({ folder }) => `${folder}.${randomUUID()}.draft`);
  const problems: string[] = [];
  try {
    const tasks = missing.map(({ directory }, index) => {
      const draft = drafts[index] ?? '';
      const output = join(draft, codeFolder);
      mkdirSync(output, { recursive: true });
      return { source: directory, mirror: mirror.pathOf(directory), output, metafile: join(draft, metafileName) };
    });
    const answers = await runPackaging({ tasks, stage, region });
    missing.forEach(({ directory, folder }, index) => {
      const answer = answers[index];
      const draft = drafts[index] ?? '';
      if (answer && 'result' in answer) {
        publish(answer.result, draft, folder);
        return;
      }
      const file = relative(root, join(directory, 'serverless.yml'));
      const problem = mirror.translate(oneLine(answer?.error ?? 'not packaged'));
      problems.push(problem.startsWith(file) ? problem : `${file}: ${problem}`);
    });
  } finally {
    mirror.remove();
    for (const draft of drafts) rmSync(draft, { recursive: true, force: true });
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function publish(result: PackagingResult, draft: string, folder: string): void {
  writeFileSync(join(draft, 'service.json'), JSON.stringify(result));
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another process has published the same package meanwhile.
    if (!existsSync(join(folder, 'service.json'))) throw error;
  }
  const siblings = readdirSync(dirname(folder))
    .filter((name) => !name.endsWith('.draft'))
    .map((name) => join(dirname(folder), name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of siblings.slice(packagesKept)) rmSync(old, { recursive: true, force: true });
}

function readPackage(directory: string, folder: string): PackagedService {
  const { functions, ...service }: PackagingResult = JSON.parse(readFileSync(join(folder, 'service.json'), 'utf8'));
  return {
    ...service,
    directory,
    functions: new Map(functions.map((name) => [name, { codeDirectory: join(folder, codeFolder) }])),
    metafile: join(folder, metafileName),
  };
}

/**
 * Runs osls in a process of its own: it changes the working directory, and its modules need not stay in memory.
 * @returns an answer per task; if the process dies, its last words stand for the missing ones
 */
function runPackaging(order: PackagingOrder): Promise<PackagingAnswer[]> {
  const child = fork(fileURLToPath(new URL('packaging/osls-process.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const answers: PackagingAnswer[] = [];
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2000);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('message', (answer: PackagingAnswer) => answers.push(answer));
    child.on('close', () => {
      while (answers.length < order.tasks.length) answers.push({ error: `packaging ended early: ${output}` });
      resolve(answers);
    });
    child.send(order);
  });
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
