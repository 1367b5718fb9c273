import type { Rule } from '../rule.ts';
import { entriesOf } from '../template.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html */
export const functionPlatform: Rule = {
  name: 'function-platform',
  why: 'tests run on this runtime, and this architecture costs a fifth less',
  check(service) {
    return entriesOf(service, 'AWS::Lambda::Function').flatMap(({ id, properties }) => {
      const actual = JSON.stringify([properties.Runtime, properties.Architectures]);
      return actual === '["nodejs24.x",["arm64"]]' ? [] : [{ resource: id, problem: `runs on ${actual}` }];
    });
  },
};
