import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import { parse } from 'yaml';
import { loggedContracts } from './logged-contracts.ts';

const root = findWorkspaceRoot(import.meta.dirname);
const contracts = await loadContracts(serviceDirectories(root));
const domainEvents = [...contracts.values()].filter(({ category }) => category === 'domain');
const namesOf = (events: readonly { detailType: string }[]) => events.map(({ detailType }) => detailType).sort();

test('the log knows every contract of the domain, to the version: it keeps an event as it was emitted', () => {
  expect(namesOf(loggedContracts)).toEqual(namesOf(domainEvents));
});

test('and subscribes to each of them, to older versions by those that upcast them', () => {
  const template = parse(readFileSync(join(root, 'services', 'event-log', 'serverless.yml'), 'utf8'), {
    logLevel: 'error',
  });

  const newest = domainEvents.filter((event) => !domainEvents.some(({ upcasts }) => upcasts === event));
  expect([...template.functions.onEvent.events[0].consume.events].sort()).toEqual(namesOf(newest));
});
