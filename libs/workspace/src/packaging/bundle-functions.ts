import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildFailure, type BuildOptions, build, type Message, type Metafile } from 'esbuild';

/** `custom.esbuild`: esbuild's options and those of serverless-esbuild that decide what is in a bundle. */
export interface BundleOptions extends BuildOptions {
  outputFileExtension?: string;
  exclude?: string[];
  packager?: string;
  skipRebuild?: boolean;
}

/** What esbuild made of the handlers of a service. */
export interface Bundled {
  /** What went into the bundles: https://esbuild.github.io/api/#metafile */
  metafile: Metafile;
  /** Each with the absolute path of its file, line and column. */
  warnings: string[];
}

/** Code that cannot be bundled. */
export class BundleError extends Error {
  /** Each with the absolute path of its file, line and column. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Bundles all handlers of a service into one folder, with the options serverless-esbuild deploys them with. That plugin
 * starts one build per function, each of which parses the AWS SDK again; together they take a fraction of the time.
 * The bundles are the same: without code splitting, entry points do not influence each other.
 *
 * @param directory the service's folder
 * @param handlers by function key, e.g. `src/handlers/put-stock.handler`
 * @param output becomes `<output>/src/handlers/put-stock.cjs`
 * @throws Error naming the function whose handler has no file; BundleError
 */
export async function bundleFunctions(
  directory: string,
  handlers: Record<string, string>,
  { outputFileExtension = '.js', exclude = [], packager: _, skipRebuild: __, ...options }: BundleOptions,
  output: string,
): Promise<Bundled> {
  const entryPoints: Record<string, string> = {};
  for (const [key, handler] of Object.entries(handlers)) {
    const path = handler.slice(0, handler.lastIndexOf('.'));
    const source = ['.ts', '.mts', '.js', '.mjs', '.cjs'].map((extension) => path + extension);
    const file = source.find((name) => existsSync(join(directory, name)));
    if (file === undefined) throw new Error(`functions.${key}.handler: there is no file ${source[0]}`);
    entryPoints[path] = file;
  }
  const { metafile, warnings } = await build({
    platform: 'node',
    bundle: true,
    ...options,
    external: [...(options.external ?? []), ...exclude],
    absWorkingDir: directory,
    entryPoints,
    outdir: output,
    outExtension: { '.js': outputFileExtension },
    logLevel: 'silent',
    metafile: true,
  }).catch((failure: BuildFailure) => {
    throw failure.errors ? new BundleError(failure.errors.map((message) => located(message, directory))) : failure;
  });
  return { metafile, warnings: warnings.map((message) => located(message, directory)) };
}

/** `<absolute path>:<line>:<column>: <what is wrong>` */
function located({ location, text, pluginName }: Message, directory: string): string {
  if (!location) return pluginName ? `${pluginName}: ${text}` : text;
  return `${join(directory, location.file)}:${location.line}:${location.column}: ${text}`;
}
