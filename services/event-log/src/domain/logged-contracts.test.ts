import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/events/catalogue';
import { parse } from 'yaml';
import { loggedContracts } from './logged-contracts.ts';

const root = findWorkspaceRoot(import.meta.dirname);
const contracts = await loadContracts(serviceDirectories(root));
const domainEvents = [...contracts.values()].filter(({ category }) => category === 'domain');
const names = domainEvents.map(({ detailType }) => detailType).sort();

test('the log knows every contract of the domain, to the version', () => {
  expect(loggedContracts.map(({ detailType }) => detailType).sort()).toEqual(names);
});

test('and subscribes to each of them', () => {
  const template = parse(readFileSync(join(root, 'services', 'event-log', 'serverless.yml'), 'utf8'), {
    logLevel: 'error',
  });

  expect([...template.functions.onEvent.events[0].consume.events].sort()).toEqual(names);
});
