import { afterEach, expect, test } from '@jest/globals';
import ServerlessConsumers from './index.ts';
import type { Osls } from './osls.ts';

afterEach(() => {
  delete process.env.MILLRACE_PACKAGE_HASH;
});

async function compiledOutputs(): Promise<object> {
  const compiledCloudFormationTemplate = { Resources: {}, Outputs: {} };
  const plugin = new ServerlessConsumers({
    configSchemaHandler: { defineFunctionEvent: () => undefined, defineFunctionProperties: () => undefined },
    service: { provider: { compiledCloudFormationTemplate } },
  } as unknown as Osls);
  await plugin.hooks['package:compileEvents']?.();
  return compiledCloudFormationTemplate.Outputs;
}

test('a deployment that knows its hash leaves it in the stack', async () => {
  process.env.MILLRACE_PACKAGE_HASH = 'abc';
  expect(await compiledOutputs()).toEqual({
    PackageHash: { Description: 'Template and code of this deployment', Value: 'abc' },
  });
});

test('any other deployment has no such output', async () => {
  expect(await compiledOutputs()).toEqual({});
});
