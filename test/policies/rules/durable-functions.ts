import type { CompiledService } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { attributeOf, type Entry, entriesOf, isDurable, referenceTo } from '../template.ts';

/**
 * A durable function is called by an alias, which leads to its version: an execution is replayed by the code that began it.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
 */
export const durableFunctions: Rule = {
  name: 'durable-functions',
  why: 'an execution that is replayed by other code than began it, or by none, leaves an order half done',
  check(service) {
    const functions = entriesOf(service, 'AWS::Lambda::Function').filter(isDurable);
    const aliases = entriesOf(service, 'AWS::Lambda::Alias');
    const versions = entriesOf(service, 'AWS::Lambda::Version');
    const ofOthers = [...aliases, ...versions].filter(
      ({ properties }) => !functions.some(({ id }) => id === referenceTo(properties.FunctionName)),
    );
    return [
      ...functions
        .filter(
          ({ id }) => aliases.filter(({ properties }) => referenceTo(properties.FunctionName) === id).length !== 1,
        )
        .map(({ id }) => ({ resource: id, problem: 'has not one alias' })),
      ...ofOthers.map(({ id }) => ({ resource: id, problem: 'is not of a durable function' })),
      ...aliases
        .filter((alias) => !leadsToItsFunction(alias, service))
        .map(({ id, properties }) => ({
          resource: id,
          problem: `FunctionVersion is ${JSON.stringify(properties.FunctionVersion)}, not a version of its function`,
        })),
    ];
  },
};

function leadsToItsFunction({ properties }: Entry, service: CompiledService): boolean {
  const version = service.template.Resources?.[referenceTo(properties.FunctionVersion) ?? ''];
  return (
    attributeOf(properties.FunctionVersion) === 'Version' &&
    version?.Type === 'AWS::Lambda::Version' &&
    referenceTo(version.Properties?.FunctionName) === referenceTo(properties.FunctionName)
  );
}
