import type { Rule } from '../rule.ts';
import { entriesOf, isSame, type Statement, statementsOf } from '../template.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html */
export const busPolicy: Rule = {
  name: 'bus-policy',
  why: "whoever can put another service's event is believed by all its consumers",
  check(service, { exampleEvents, stage }) {
    return entriesOf(service, 'AWS::Events::EventBus').flatMap(({ id, properties }) => {
      const statements = statementsOf(properties.Policy);
      const isAnalytics = properties.Name === `millrace-${stage}-analytics`;
      const emitted = isAnalytics ? exampleEvents.filter(({ variant }) => variant) : exampleEvents;
      const sources = [...new Set(emitted.map(({ source }) => source))].sort();
      const wanted = isAnalytics
        ? [...sources.map((source) => analyticsDenial(source, stage)), denialOfOthers(sources, stage)]
        : sources.map((source) => denial(source, stage));
      const unlike = (a: Statement, b: Statement) => !isSame({ ...a, Sid: '' }, { ...b, Sid: '' });
      return [
        ...wanted
          .filter((one) => statements.every((statement) => unlike(statement, one)))
          .map((one) => `Policy does not deny ${one.Condition?.StringEquals?.['events:source']} to all others`),
        // An Allow lets an account in; another Deny may keep the owner out.
        ...statements
          .filter((statement) => wanted.every((one) => unlike(statement, one)))
          .map(
            ({ Sid, Effect }) =>
              `Policy has ${Sid ?? 'a statement'} (${Effect}), which is for no source of the contracts`,
          ),
      ].map((problem) => ({ resource: id, problem }));
    });
  },
};

/** Everybody but the owner's roles and the re-emitter's is denied a source. */
function denial(source: string, stage: string): Statement {
  return denialOf(`millrace-${stage}`, {
    StringEquals: { 'events:source': source },
    ArnNotLike: {
      'aws:PrincipalArn': [
        role(`${owner(source)}-${stage}-*`),
        role(`millrace-re-emitter-${stage}-ReemitRole-*`),
      ] as unknown,
    },
  });
}

/** On the analytics bus, everybody but the owner's relay is denied a source … */
function analyticsDenial(source: string, stage: string): Statement {
  return denialOf(`millrace-${stage}-analytics`, {
    StringEquals: { 'events:source': source },
    ArnNotLike: { 'aws:PrincipalArn': [role(`${owner(source)}-${stage}-RelayRole-*`)] as unknown },
  });
}

/** … and everybody is denied what has no variants. */
function denialOfOthers(sources: readonly string[], stage: string): Statement {
  return denialOf(`millrace-${stage}-analytics`, { StringNotEquals: { 'events:source': sources as unknown } });
}

function denialOf(bus: string, Condition: Statement['Condition']): Statement {
  return {
    Effect: 'Deny',
    Principal: '*',
    Action: 'events:PutEvents',
    Resource: { 'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/${bus}` },
    ...(Condition && { Condition }),
  };
}

const role = (pattern: string) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${pattern}` });

const owner = (source: string) => source.replace('.', '-');
