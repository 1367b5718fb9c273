import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** A handler of Lambda, or an operator's module: what a file exports. */
export type Exports = Record<string, (...args: never[]) => unknown>;

type Start = (require: NodeJS.Require, module: { exports: Exports }, exports: Exports) => void;

/**
 * The code of functions. Each file is bundled once with everything of this repository that it imports, and can be started
 * any number of times: each start is a container with modules of its own. Packages of others are loaded once for all.
 */
export class FunctionCode {
  readonly #starts: ReadonlyMap<string, Start>;
  readonly #require: NodeJS.Require;

  private constructor(starts: ReadonlyMap<string, Start>, require: NodeJS.Require) {
    this.#starts = starts;
    this.#require = require;
  }

  /**
   * @param files to bundle
   * @param replacements files whose place others take, for example a payment provider
   */
  static async load(
    files: readonly string[],
    replacements: Readonly<Record<string, string>> = {},
  ): Promise<FunctionCode> {
    const distinct = [...new Set(files)];
    const { outputFiles } = await build({
      entryPoints: Object.fromEntries(distinct.map((file, index) => [String(index), file])),
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node24',
      sourcemap: false,
      write: false,
      outdir: '/',
      logLevel: 'error',
      plugins: [ownCodeAlone(replacements)],
    });
    const starts = new Map(
      outputFiles.map(({ path, text }) => {
        const file = distinct[Number(/(\d+)\.js$/.exec(path)?.[1])] ?? '';
        return [file, new Function('require', 'module', 'exports', text) as never];
      }),
    );
    return new FunctionCode(starts, createRequire(import.meta.url));
  }

  /**
   * Starts a file as a new container does.
   * @param environment the container's variables; code that reads them later than this finds those of this process
   */
  start(file: string, environment: Readonly<Record<string, string>>): Exports {
    const start = this.#starts.get(file);
    if (!start) throw new Error(`${file} was not loaded`);
    const before = process.env;
    process.env = { ...before, ...environment };
    try {
      const module = { exports: {} as Exports };
      start(this.#require, module, module.exports);
      return module.exports;
    } finally {
      process.env = before;
    }
  }
}

/** Bundles the code of this repository, and leaves what Node can require of others where it is. */
function ownCodeAlone(replacements: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'own-code-alone',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer, kind, resolveDir }) => {
        if (kind === 'entry-point' || path.startsWith('@millrace/')) return undefined;
        if (path.startsWith('.')) {
          const replaced = Object.entries(replacements).find(
            ([file]) => file === new URL(path, `file://${resolveDir}/`).pathname,
          );
          return replaced && dirname(importer) !== dirname(replaced[1]) ? { path: replaced[1] } : undefined;
        }
        if (path.startsWith('node:')) return { path, external: true };
        // Middy is for import alone.
        if (path.startsWith('@middy/')) return undefined;
        return { path: createRequire(importer).resolve(path), external: true };
      });
    },
  };
}
