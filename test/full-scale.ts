import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Suites that try one thing hundreds of times, by name: `npm test` leaves them out, `npm run test:all` runs them. Everything that they try
 * happens in another suite once.
 */
export const fullScaleSuites: Readonly<Record<string, string>> = {
  hostile: 'test/hostile/hostile.test.ts',
  kills: 'test/kills/kills.test.ts',
  'disk-full': 'test/kills/disk-full.test.ts',
  mutants: 'test/policies/mutants.test.ts',
  privacy: 'test/end-to-end/privacy.test.ts',
  'redrive-under-fire': 'test/end-to-end/redrive-under-fire.test.ts',
  roles: 'test/roles/roles.test.ts',
  simulation: 'test/simulation/simulation.test.ts',
};

/** Set to `all` by `npm run test:all`. */
export const SCOPE_VARIABLE = 'MILLRACE_TESTS';

/**
 * Patterns of the suites to leave out. One that the command line names is run: `npm test -- test/hostile`.
 *
 * @param args of Jest
 * @param environment of Jest
 * @example
 * suitesToLeaveOut(['test/hostile'], {}); // all but hostile
 */
export function suitesToLeaveOut(args: readonly string[], environment: NodeJS.ProcessEnv): string[] {
  if (environment[SCOPE_VARIABLE] === 'all') return [];
  return Object.entries(fullScaleSuites)
    .filter(([name]) => !args.some((arg) => arg.includes(name)))
    .map(([, file]) => `^${escapeRegExp(join(root, file))}$`);
}

function escapeRegExp(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}
