import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { Rule } from '../rule.ts';
import { at, entriesOf, isAnalyticsBus, isOnDefaultBus, list } from '../template.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
export const rulePatterns: Rule = {
  name: 'rule-patterns',
  why: 'a rule that matches nothing is silent, and so is a misspelt event among others',
  check(service, { exampleEvents, stage }) {
    // What AWS puts on the default bus is looked at by the rule `state-machines`.
    const ofDomain = entriesOf(service, 'AWS::Events::Rule').filter(({ properties }) => !isOnDefaultBus(properties));
    return ofDomain.flatMap(({ id, properties }) => {
      if (properties.EventPattern === undefined && properties.ScheduleExpression !== undefined) return [];
      if (properties.EventPattern === undefined) return [{ resource: id, problem: 'has no EventPattern' }];
      let matches: (event: JsonValue) => boolean;
      try {
        matches = compilePattern(properties.EventPattern as object);
      } catch (error) {
        return [{ resource: id, problem: `EventPattern: ${(error as Error).message}` }];
      }
      const isAnalytics = isAnalyticsBus(properties.EventBusName, stage, 'Name');
      const events = exampleEvents.map(({ event, withSlot, variant, ...rest }) => ({
        ...rest,
        event: isAnalytics ? variant : event,
        // A rule may be for orders with a slot alone.
        withSlot: isAnalytics ? undefined : withSlot,
      }));
      const onBus = events.filter(({ event }) => event);
      const known = new Set(onBus.map(({ detailType }) => detailType));
      const named = (key: string) => list(at(properties.EventPattern, key)).map(String);
      const sourceOf = new Map(onBus.map(({ detailType, source }) => [detailType, source]));
      const sources = new Set(named('detail-type').map((detailType) => sourceOf.get(detailType)));
      const shape = [
        ...Object.keys(properties.EventPattern as object)
          .filter((key) => !['source', 'detail-type', 'detail'].includes(key))
          .map((key) => `EventPattern has ${key}`),
        ...[...sources]
          .filter((source) => source !== undefined && !named('source').includes(source))
          .map((source) => `EventPattern lacks ${source}, whose events it names`),
        // Whoever may put events of that source would be believed.
        ...named('source')
          .filter((source) => !sources.has(source))
          .map((source) => `EventPattern has the source ${source}, none of whose events it names`),
        ...(named('detail-type').length === 0 ? ['EventPattern names no detail-type'] : []),
      ].map((problem) => ({ resource: id, problem }));
      const unknown = list(at(properties.EventPattern, 'detail-type'))
        .filter((detailType) => !known.has(String(detailType)))
        .map((detailType) => ({
          resource: id,
          problem: `EventPattern names ${detailType}, which no contract ${isAnalytics ? 'lets leave for analytics' : 'defines'}`,
        }));
      const candidates = onBus.flatMap(({ event, withSlot }) => [event, withSlot ?? []].flat());
      if (candidates.some((event) => matches(event as JsonValue))) return [...shape, ...unknown];
      return [...shape, ...unknown, { resource: id, problem: "EventPattern matches no contract's example event" }];
    });
  },
};
