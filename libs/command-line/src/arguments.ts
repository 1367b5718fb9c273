import { type ParseArgsConfig, parseArgs } from 'node:util';
import { squash } from './similar-names.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads the command line of this process.
 *
 * npm takes every option before `--` for itself: `npm run deploy --dry-run` starts the command without it. npm leaves such
 * options in the environment (`npm_config_dry_run=true`), so the command refuses to start instead of doing the real thing.
 * https://docs.npmjs.com/cli/v11/using-npm/config#command-line-flags
 *
 * @param config of `parseArgs`: https://nodejs.org/api/util.html#utilparseargsconfig
 * @param environment where npm leaves what it took
 * @throws UsageError for an option that npm took, that does not exist, lacks its value or takes none
 * @example
 * const { values } = readArguments({ options: { stage: { type: 'string', default: 'dev' } } });
 */
export function readArguments<const T extends ParseArgsConfig>(
  config: T,
  environment: NodeJS.ProcessEnv = process.env,
): ReturnType<typeof parseArgs<T>> {
  const given = config.args ?? process.argv.slice(2);
  const isGiven = (option: string): boolean => given.some((text) => text.split('=', 1)[0] === `--${option}`);
  const swallowed = Object.keys(config.options ?? {}).filter(
    (option) => wasTakenByNpm(option, environment) && !isGiven(option) && !isGiven('help'),
  );
  if (swallowed.length > 0) {
    const options = swallowed.map((option) => `--${option}`);
    throw new UsageError(
      `npm took ${options.join(', ')} for itself, so nothing was done. Put -- before the options: npm run ${
        environment.npm_lifecycle_event ?? '<command>'
      } -- ${options.join(' ')} …`,
    );
  }
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** An empty text is npm's word for false: it sets one for options of its own, and for `--no-<option>`. */
function wasTakenByNpm(option: string, environment: NodeJS.ProcessEnv): boolean {
  const negated = /^no-(.+)$/.exec(option)?.[1];
  return Object.entries(environment).some(([variable, value]) => {
    const name = /^npm_config_(.+)$/i.exec(variable)?.[1];
    if (name === undefined || value === undefined) return false;
    if (negated !== undefined && value === '' && squash(name) === squash(negated)) return true;
    return value !== '' && value !== 'false' && squash(name) === squash(option);
  });
}
