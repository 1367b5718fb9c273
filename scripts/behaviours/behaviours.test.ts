import { describe, expect, test } from '@jest/globals';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { outdatedDocuments } from '../generated-documents/index.ts';
import { documents } from './index.ts';
import { readBehaviours } from './read-behaviours.ts';
import { withTables } from './tables.ts';

const root = findWorkspaceRoot(import.meta.dirname);

test('the tables are up to date: if not, run npm run behaviours', () => {
  expect(outdatedDocuments(root, documents(root))).toEqual([]);
});

test('every behaviour has a title, and every service with an API of AWS has some', () => {
  const [page = ''] = Object.values(documents(root));
  expect(page.split('\n').filter((line) => /^\| (\||.*(^|: )( \||: ))/.test(line))).toEqual([]);
  for (const service of ['sqs', 'sns', 's3', 'events', 'lambda', 'scheduler', 'logs', 'cloudwatch', 'dynamodb']) {
    expect(page).toContain(`\n## ${service}\n`);
  }
});

describe('what a file of tests checks', () => {
  const page = (name: string) => `https://docs.aws.amazon.com/${name}.html`;
  const source = `
import { test } from '@jest/globals';

// Not of AWS.
test('is left out', () => {});

// https://docs.aws.amazon.com/one.html
describe('a queue', () => {
  test("isn't lost", () => {});

  describe('that is full', () => {
    it('refuses', () => {});
  });

  // https://docs.aws.amazon.com/two.html
  test.each<[string, number]>([
    ['a (', 1],
  ])('with %s has %i', () => {});

  test(
    'a title that is too long for the line',
    () => {},
  );
});

/** See https://docs.aws.amazon.com/three.html. */
test.each([1, 2])('takes $count', () => {});

test('is left out, too', () => {});
`;

  test('is named by the titles, with the page above them', () => {
    expect(readBehaviours(source)).toEqual([
      { page: page('one'), title: "a queue: isn't lost" },
      { page: page('one'), title: 'a queue: that is full: refuses' },
      { page: page('two'), title: 'a queue: with … has …' },
      { page: page('one'), title: 'a queue: a title that is too long for the line' },
      { page: page('three'), title: 'takes …' },
    ]);
  });
});

test('a document without a place for the tables is an error that says what to add', () => {
  expect(() => withTables('# Title', '')).toThrow('add the lines <!-- npm run behaviours');
});
