import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Made by packaging: not part of what is copied. */
const PRODUCTS = new Set(['.serverless', '.esbuild', 'node_modules']);

const SHARED = [
  'package.json',
  'tsconfig.json',
  'serverless-compose.yml',
  'serverless.common.yml',
  'serverless.outbox.yml',
  'serverless.stages.yml',
];

/** The probe of the end-to-end suites is deployed beside the shop. */
const PROBE = `
  probe:
    path: test/fixtures/probe
    dependsOn: event-bus
`;

/**
 * A copy of the services and what they share, in which the plugin that closes MiniStack's gaps stands in every
 * serverless.yml: the real ones know nothing of MiniStack, and a test may change a file. It lies inside the repository, so
 * that node_modules and the libs are found.
 */
export class Workspace {
  readonly directory: string;

  /** @param directory is emptied first */
  constructor(directory: string, services: readonly string[]) {
    this.directory = directory;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    for (const file of SHARED) cpSync(join(root, file), join(directory, file));
    // An alias of serverless.common.yml leads into it.
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    for (const service of services) {
      const copy = this.pathOf(service);
      cpSync(service, copy, { recursive: true, filter: (source) => !PRODUCTS.has(basename(source)) });
      symlinkSync(join(import.meta.dirname, 'ministack-plugin.ts'), join(copy, 'ministack-plugin.ts'));
      this.replace(
        relative(root, join(service, 'serverless.yml')),
        /^plugins: \[(.*)\]$/m,
        'plugins: [$1, ./ministack-plugin.ts]',
      );
    }
    appendFileSync(join(directory, 'serverless-compose.yml'), PROBE);
  }

  /** The copy of a folder of the repository. */
  pathOf(folder: string): string {
    return join(this.directory, relative(root, folder));
  }

  /**
   * Changes a file of the copy.
   * @param file relative to the repository
   * @throws Error when there is nothing to replace
   */
  replace(file: string, pattern: RegExp | string, replacement: string): void {
    const path = join(this.directory, file);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(pattern, replacement);
    if (changed === text) throw new Error(`${file} has no ${pattern}`);
    writeFileSync(path, changed);
  }
}
