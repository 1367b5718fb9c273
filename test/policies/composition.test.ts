import { beforeAll, describe, expect, test } from '@jest/globals';
import { importedNames } from '@millrace/serverless-consumers/imported-names';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { readComposition } from '../../scripts/deploy/composition.ts';
import { type CompiledWorkspace, readCompiledWorkspace, workspaceRoot } from './compiled-workspace.ts';

const waves = readComposition(workspaceRoot);

describe('serverless-compose.yml', () => {
  let workspace: CompiledWorkspace;
  beforeAll(async () => {
    workspace = await readCompiledWorkspace('dev');
  });

  test('lists every service', () => {
    const listed = waves.flat().map(({ directory }) => directory);
    expect(listed.sort()).toEqual(serviceDirectories(workspaceRoot));
  });

  test('deploys what a service imports before it', () => {
    const exported = new Set<unknown>();
    for (const wave of waves) {
      const templates = wave.map(({ name }) => workspace.services.find((service) => service.name === name)?.template);
      for (const template of templates)
        expect(importedNames(template).filter((name) => !exported.has(name))).toEqual([]);
      for (const output of templates.flatMap((template) => Object.values(template?.Outputs ?? {}))) {
        exported.add(output.Export?.Name);
      }
    }
    expect(exported.size).toBeGreaterThan(3);
  });
});
