import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '@millrace/command-line';
import { ownEnvironment } from './version.ts';

const execute = promisify(execFile);

/** A version of the repository, in a folder of its own until it is disposed of. */
export interface Checkout extends AsyncDisposable {
  directory: string;
  /** Abbreviated. */
  commit: string;
}

/** Of what is here. */
export interface Revision {
  /** Of the last commit, abbreviated. */
  commit: string;
  /** ISO 8601, UTC. */
  date: string;
  /** True if files differ from it. */
  isChanged: boolean;
}

/**
 * Reads which version a working tree has.
 * @throws Error when it is not a git checkout
 */
export async function revisionOf(root: string): Promise<Revision> {
  return {
    ...(await commitOf(root, 'HEAD')),
    // What is written about it does not change what is measured.
    isChanged: (await git(root, 'status', '--porcelain', '--', ':(top)', ':(top,exclude)docs')).trim() !== '',
  };
}

/**
 * Finds a commit.
 * @param ref a branch, a tag or a hash
 * @throws UsageError when there is none of that name
 * @throws Error when this is not a git checkout
 */
export async function commitOf(root: string, ref: string): Promise<Pick<Revision, 'commit' | 'date'>> {
  await git(root, 'rev-parse', '--git-dir').catch((error: Error) => {
    throw new Error(`${root} is not a git checkout, so there are no versions of it: ${error.message.trim()}`);
  });
  const hash = await git(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`).catch(() => {
    throw new UsageError(
      `There is no commit "${ref}" in this repository: name a branch, a tag or a hash that git log shows (git fetch --unshallow gets older ones)`,
    );
  });
  const [commit = '', seconds] = (await git(root, 'log', '-1', '--format=%h %ct', hash.trim())).trim().split(' ');
  return { commit, date: new Date(Number(seconds) * 1000).toISOString() };
}

/**
 * Checks a version out into a temporary git worktree and gives it its dependencies: those of this tree where both have the same
 * package-lock.json, otherwise by `npm ci`.
 *
 * @param ref a branch, a tag or a hash
 * @param log gets a line when it takes long
 * @param signal ends it
 * @throws UsageError when there is no such commit
 * @throws Error when git or npm fails
 * @example await using older = await checkOut(root, 'v1.0.0', console.log);
 */
export async function checkOut(
  root: string,
  ref: string,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Checkout> {
  const { commit } = await commitOf(root, ref);
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-checkout-'));
  const directory = join(folder, 'millrace');
  const remove = async (): Promise<void> => {
    // First, and by force: git gives up on a folder that something is still written to.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    // There is none when it could not be added.
    await git(root, 'worktree', 'remove', '--force', directory).catch(() => undefined);
  };
  try {
    await git(root, 'worktree', 'add', '--detach', '--quiet', directory, commit);
    if (lockFileOf(directory) === lockFileOf(root)) {
      linkDependencies(root, directory);
    } else {
      log(`Installing the dependencies of ${commit}`);
      await execute('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
        cwd: directory,
        env: ownEnvironment(),
        ...(signal && { signal }),
      });
    }
    signal?.throwIfAborted();
    return { directory, commit, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function lockFileOf(directory: string): string {
  return readFileSync(join(directory, 'package-lock.json'), 'utf8');
}

/** Links to the packages of another tree, but to the workspaces of its own. */
function linkDependencies(from: string, to: string): void {
  const [installed, own] = [from, to].map((root) => join(root, 'node_modules')) as [string, string];
  mkdirSync(own);
  const workspaces = workspacesOf(to);
  const scopes = new Set([...workspaces.keys()].map((name) => name.split('/')[0] ?? ''));
  for (const name of readdirSync(installed)) {
    if (!scopes.has(name)) symlinkSync(join(installed, name), join(own, name));
  }
  for (const [name, directory] of workspaces) {
    mkdirSync(dirname(join(own, name)), { recursive: true });
    symlinkSync(directory, join(own, name));
  }
}

/** The folders of the workspaces, by the names of their packages. */
function workspacesOf(root: string): Map<string, string> {
  const folders = ['libs', 'services'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(root, group, name)),
  );
  return new Map(
    folders.map((folder) => {
      const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string };
      return [name, folder];
    }),
  );
}

/** @returns what it printed */
async function git(root: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', ['-C', root, ...args]);
  return stdout;
}
