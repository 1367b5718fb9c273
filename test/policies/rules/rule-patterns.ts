import { compilePattern, type JsonValue } from '@millrace/local/event-pattern';
import type { Rule } from '../rule.ts';
import { at, entriesOf, list } from '../template.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
export const rulePatterns: Rule = {
  name: 'rule-patterns',
  why: 'a rule that matches nothing is silent, and so is a misspelt event among others',
  check(service, { exampleEvents }) {
    return entriesOf(service, 'AWS::Events::Rule').flatMap(({ id, properties }) => {
      if (properties.EventPattern === undefined) return [];
      const matches = compilePattern(properties.EventPattern as object);
      const known = new Set(exampleEvents.map(({ detailType }) => detailType));
      const unknown = list(at(properties.EventPattern, 'detail-type'))
        .filter((detailType) => !known.has(String(detailType)))
        .map((detailType) => ({
          resource: id,
          problem: `EventPattern names ${detailType}, which no contract defines`,
        }));
      if (exampleEvents.some(({ event }) => matches(event as JsonValue))) return unknown;
      return [...unknown, { resource: id, problem: "EventPattern matches no contract's example event" }];
    });
  },
};
