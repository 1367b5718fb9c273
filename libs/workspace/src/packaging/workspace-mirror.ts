import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';

/**
 * A copy of the workspace made of symbolic links, in which the folders of the given services are real. osls
 * writes `.serverless` beside serverless.yml; in a mirror, runs disturb neither each other nor what somebody has packaged
 * by hand, and nothing is left behind.
 */
export class WorkspaceMirror {
  readonly #workspace: string;
  readonly #mirror: string;

  readonly #removeAtExit = (): void => this.remove();

  /** @param directories absolute paths of service folders inside `workspace` */
  constructor(workspace: string, directories: readonly string[]) {
    this.#workspace = workspace;
    this.#mirror = mkdtempSync(join(tmpdir(), 'millrace-packaging-'));
    // A process that is told to end while it packages does not come back to remove it.
    process.once('exit', this.#removeAtExit);
    this.#copy(workspace, directories);
  }

  /** The mirror's path of a folder of the workspace. */
  pathOf(directory: string): string {
    return join(this.#mirror, relative(this.#workspace, directory));
  }

  /** Text that mentions the mirror, with its paths turned back into the workspace's. */
  translate(text: string): string {
    return text.replaceAll(this.#mirror, this.#workspace);
  }

  remove(): void {
    process.off('exit', this.#removeAtExit);
    // osls may be writing for as long as it takes to die.
    rmSync(this.#mirror, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  #copy(folder: string, directories: readonly string[]): void {
    mkdirSync(this.pathOf(folder), { recursive: true });
    for (const { name } of readdirSync(folder, { withFileTypes: true })) {
      if (name === '.serverless' || name === '.esbuild') continue;
      const entry = join(folder, name);
      const isReal = directories.some((directory) => directory === entry || directory.startsWith(entry + sep));
      if (isReal) this.#copy(entry, directories);
      else symlinkSync(entry, this.pathOf(entry));
    }
  }
}
