import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { suitesToLeaveOut } from './test/full-scale.ts';

/** One project per lib and service, so that `npm test -- --selectProjects orders` runs one of them alone. */
const workspaces = ['libs', 'services'].flatMap((group) =>
  readdirSync(join(import.meta.dirname, group), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ displayName: entry.name, rootDir: `<rootDir>/${group}/${entry.name}` })),
);

const shared = {
  testEnvironment: join(import.meta.dirname, 'test/jest-environment.mjs'),
  testMatch: ['<rootDir>/**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '/.serverless/',
    '/.esbuild/',
    ...suitesToLeaveOut(process.argv.slice(2), process.env),
  ],
  modulePathIgnorePatterns: ['/.serverless/', '/.esbuild/'],
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: [join(import.meta.dirname, 'test/quiet-telemetry.ts')],
  transform: { '\\.ts$': join(import.meta.dirname, 'test/jest-transform.mjs') },
};

// The many commands that tests start need not compile themselves each time. https://nodejs.org/api/module.html#module-compile-cache
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.millrace/cache/compiled');

export default {
  // For end-to-end tests on a busy machine. What they wait for has deadlines that are shorter, and that say what was missing.
  testTimeout: 600_000,
  testSequencer: '<rootDir>/test/jest-sequencer.mjs',
  // Three even on two cores: suites that wait for a running system leave room for others, see test/suite-order.ts.
  maxWorkers: Math.max(3, availableParallelism() - 1),
  projects: [
    ...workspaces,
    ...['scripts', 'test'].map((name) => ({
      displayName: name,
      rootDir: `<rootDir>/${name}`,
      globalSetup: join(import.meta.dirname, 'test/package-services.mjs'),
    })),
  ].map((project) => ({ ...shared, ...project })),
};
