import type { Rule } from '../rule.ts';
import { allStatements, at, entries, list } from '../template.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html */
export const ownEvents: Rule = {
  name: 'own-events',
  why: 'an event is believed because only its owner can put it on the bus',
  exceptions: [
    {
      service: 'redrive',
      resource: /^ReemitRole$/,
      reason: 'the re-emitter puts back dead events of every service, unchanged',
    },
  ],
  check(service) {
    const grants = entries(service).filter(({ type }) => type.startsWith('AWS::IAM::'));
    return grants.flatMap((role) =>
      allStatements(role).flatMap(({ place, statement }) => {
        const puts = list(statement.Action).some((action) =>
          /^(\*|events:(\*|Put.*\*|PutEvents))$/.test(String(action)),
        );
        if (statement.Effect !== 'Allow' || !puts) return [];
        const sources = list(at(statement.Condition, 'StringEquals', 'events:source'));
        if (sources.length > 0 && sources.every((source) => source === `millrace.${service.name}`)) return [];
        const problem = `${place}: PutEvents with events:source ${JSON.stringify(sources)}, not millrace.${service.name} alone`;
        return [{ resource: role.id, problem }];
      }),
    );
  },
};
