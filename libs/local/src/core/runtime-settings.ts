import { join, resolve } from 'node:path';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import type { RuntimeOptions } from './runtime-options.ts';

/** The options of a runtime with their defaults, all paths absolute. */
export interface RuntimeSettings {
  directories: string[];
  stage: string;
  region: string;
  cacheDirectory: string;
  dataDirectory: string | undefined;
}

/** @throws Error when there are no services */
export function readSettings(options: RuntimeOptions): RuntimeSettings {
  const { stage = 'dev', region = 'us-east-1', cacheDirectory, dataDirectory } = options;
  const directories = options.services.map((directory) => resolve(directory));
  const [anyDirectory] = directories;
  if (anyDirectory === undefined) throw new Error('There are no services to start');
  return {
    directories,
    stage,
    region,
    cacheDirectory: resolve(cacheDirectory ?? join(findWorkspaceRoot(anyDirectory), '.millrace', 'cache')),
    dataDirectory: dataDirectory === undefined ? undefined : resolve(dataDirectory),
  };
}
