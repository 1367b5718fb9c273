import { describe, expect, test } from '@jest/globals';
import { readArguments, UsageError } from './index.ts';

const options = {
  stage: { type: 'string', default: 'dev' },
  'dry-run': { type: 'boolean' },
  id: { type: 'string', multiple: true },
  'no-watch': { type: 'boolean' },
} as const;

function read(args: string[], environment: NodeJS.ProcessEnv = {}) {
  return readArguments({ args, options, allowPositionals: true }, { npm_lifecycle_event: 'redrive', ...environment });
}

describe('the command line', () => {
  test('is read as parseArgs reads it', () => {
    const { values, positionals } = read(['list', '--stage', 'prod', '--dry-run']);
    expect(values).toEqual({ stage: 'prod', 'dry-run': true });
    expect(positionals).toEqual(['list']);
  });

  test('is refused for an option that does not exist', () => {
    expect(() => read(['--dryrun'])).toThrow(UsageError);
  });
});

describe('an option that npm took for itself', () => {
  test.each([
    ['a flag', { npm_config_dry_run: 'true' }, '--dry-run'],
    ['a flag that is misspelt', { npm_config_dryrun: 'true' }, '--dry-run'],
    ['one whose value became an argument', { npm_config_stage: 'true' }, '--stage'],
    ['one with its value', { npm_config_stage: 'prod' }, '--stage'],
    ['one that was repeated', { npm_config_id: 'true\n\ntrue' }, '--id'],
    ['a negated flag', { npm_config_watch: '' }, '--no-watch'],
  ])('is refused: %s', (_, environment, option) => {
    expect(() => read(['redrive', 'orders'], environment)).toThrow(
      `npm took ${option} for itself, so nothing was done. Put -- before the options: npm run redrive -- ${option} …`,
    );
  });

  test('is fine when the command has it as well: it comes from an .npmrc then', () => {
    expect(read(['--stage=prod'], { npm_config_stage: 'dev' }).values.stage).toBe('prod');
  });

  test.each([
    { npm_config_yes: '' },
    { npm_config_dry_run: '' },
    { npm_config_dry_run: 'false' },
    { npm_config_cache: '/c' },
  ])('is not seen in %j', (environment) => {
    expect(read([], environment).values.stage).toBe('dev');
  });
});
