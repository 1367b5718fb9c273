import { importedNames } from '@millrace/serverless-consumers/imported-names';
import type { Rule } from '../rule.ts';
import { entries } from '../template.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html */
export const imports: Rule = {
  name: 'imports',
  why: 'a stack that imports what no other exports cannot be created',
  check(service, { services }) {
    const exported = new Set(
      services.flatMap(({ template }) => Object.values(template.Outputs ?? {}).map((output) => output.Export?.Name)),
    );
    return entries(service).flatMap(({ id, properties }) =>
      importedNames(properties)
        .filter((name) => !exported.has(name))
        .map((name) => ({ resource: id, problem: `imports ${name}, which no service exports` })),
    );
  },
};
