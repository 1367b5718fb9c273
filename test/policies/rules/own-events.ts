import type { Rule } from '../rule.ts';
import { allStatements, at, entries, isAnalyticsBus, isSame, list } from '../template.ts';

const ofEveryService = { StringLike: { 'events:source': 'millrace.*' } };

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html */
export const ownEvents: Rule = {
  name: 'own-events',
  why: 'an event is believed because only its owner can put it on the bus',
  check(service, { exampleEvents }) {
    const source = `millrace.${service.name}`;
    const ofService = exampleEvents.filter((each) => each.source === source);
    const own = new Set<unknown>(ofService.map((each) => each.detailType));
    const withVariant = new Set<unknown>(ofService.filter(({ variant }) => variant).map((each) => each.detailType));
    const grants = entries(service).filter(({ type }) => type.startsWith('AWS::IAM::'));
    return grants.flatMap((role) =>
      allStatements(role).flatMap(({ place, statement }) => {
        const puts = list(statement.Action).some((action) =>
          /^(\*|events:(\*|Put.*\*|PutEvents))$/.test(String(action)),
        );
        if (statement.Effect !== 'Allow' || !puts) return [];
        if (service.name === 're-emitter' && role.id === 'ReemitRole') {
          // The re-emitter puts back dead events of every service, unchanged.
          if (isSame(statement.Condition, ofEveryService)) return [];
          return [{ resource: role.id, problem: `${place}: PutEvents with ${JSON.stringify(statement.Condition)}` }];
        }
        const { StringEquals: equal, ...others } = statement.Condition ?? {};
        const keys = Object.keys(equal ?? {}).filter((key) => key !== 'events:source' && key !== 'events:detail-type');
        const sources = list(at(equal, 'events:source'));
        const types = list(at(equal, 'events:detail-type'));
        const isOwn = sources.length > 0 && sources.every((source) => source === `millrace.${service.name}`);
        const isAnalytics = list(statement.Resource).some((resource) => isAnalyticsBus(resource, service.stage));
        const foreign = types.filter((type) => !(isAnalytics ? withVariant : own).has(type));
        return [
          ...(isOwn
            ? []
            : [`PutEvents with events:source ${JSON.stringify(sources)}, not millrace.${service.name} alone`]),
          ...(types.length > 0 && foreign.length === 0
            ? []
            : [
                `PutEvents with events:detail-type ${JSON.stringify(foreign)}, which no contract of the service ${isAnalytics ? 'lets leave for analytics' : 'defines'}`,
              ]),
          ...[...Object.keys(others), ...keys].map((operator) => `PutEvents with ${operator}, which is for no event`),
        ].map((problem) => ({ resource: role.id, problem: `${place}: ${problem}` }));
      }),
    );
  },
};
