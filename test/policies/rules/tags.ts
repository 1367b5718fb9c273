import type { Rule } from '../rule.ts';
import { at, entriesOf, list } from '../template.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html */
export const tags: Rule = {
  name: 'tags',
  why: 'the bill, and whoever finds a resource at night, ask whose it is',
  check(service) {
    const wanted = { service: `millrace-${service.name}`, stage: service.stage };
    const isComplete = (actual: Record<string, unknown>) =>
      actual.service === wanted.service &&
      actual.stage === wanted.stage &&
      actual.team === wanted.service &&
      Object.keys(actual).length === 3;
    const stack = isComplete(service.stackTags)
      ? []
      : [{ resource: '', problem: `provider.stackTags is ${JSON.stringify(service.stackTags)}` }];
    const functions = entriesOf(service, 'AWS::Lambda::Function')
      .filter(({ properties }) => {
        const own = list(properties.Tags).map((tag) => [String(at(tag, 'Key')), at(tag, 'Value')]);
        const isPlain = list(properties.Tags).every((tag) => Object.keys(Object(tag)).length === 2);
        return !isPlain || own.length !== 3 || !isComplete(Object.fromEntries(own));
      })
      .map(({ id, properties }) => ({ resource: id, problem: `Tags is ${JSON.stringify(properties.Tags)}` }));
    const apis = ['AWS::ApiGatewayV2::Api', 'AWS::ApiGatewayV2::Stage', 'AWS::Pipes::Pipe']
      .flatMap((type) => entriesOf(service, type))
      .filter(({ properties }) => !isComplete(Object(properties.Tags)))
      .map(({ id, properties }) => ({ resource: id, problem: `Tags is ${JSON.stringify(properties.Tags)}` }));
    return [...stack, ...functions, ...apis];
  },
};
