import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

/** `custom.esbuild`: esbuild's options and those of serverless-esbuild that decide what is in a bundle. */
export interface BundleOptions extends BuildOptions {
  outputFileExtension?: string;
  exclude?: string[];
  packager?: string;
  skipRebuild?: boolean;
}

/**
 * Bundles all handlers of a service into one folder, with the options serverless-esbuild deploys them with. That plugin
 * starts one build per function, each of which parses the AWS SDK again; together they take a fraction of the time.
 * The bundles are the same: without code splitting, entry points do not influence each other.
 *
 * @param directory the service's folder
 * @param handlers by function key, e.g. `src/handlers/put-stock.handler`
 * @param output becomes `<output>/src/handlers/put-stock.cjs`
 * @returns what went into the bundles: https://esbuild.github.io/api/#metafile
 * @throws Error naming the function whose handler has no file; esbuild's errors
 */
export async function bundleFunctions(
  directory: string,
  handlers: Record<string, string>,
  { outputFileExtension = '.js', exclude = [], packager: _, skipRebuild: __, ...options }: BundleOptions,
  output: string,
): Promise<Metafile> {
  const entryPoints: Record<string, string> = {};
  for (const [key, handler] of Object.entries(handlers)) {
    const path = handler.slice(0, handler.lastIndexOf('.'));
    const source = ['.ts', '.mts', '.js', '.mjs', '.cjs'].map((extension) => path + extension);
    const file = source.find((name) => existsSync(join(directory, name)));
    if (file === undefined) throw new Error(`functions.${key}.handler: there is no file ${source[0]}`);
    entryPoints[path] = file;
  }
  const { metafile } = await build({
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
  });
  return metafile;
}
