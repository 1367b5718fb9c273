import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

/**
 * Reads the command line of this process.
 * @param config of `parseArgs`: https://nodejs.org/api/util.html#utilparseargsconfig
 * @throws UsageError for an option that does not exist, lacks its value or takes none
 */
export function readArguments<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
