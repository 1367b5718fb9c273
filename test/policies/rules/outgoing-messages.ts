import type { Rule } from '../rule.ts';
import { allStatements, at, entriesOf, isSame, list } from '../template.ts';

/**
 * https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
 * https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html
 */
export const outgoingMessages: Rule = {
  name: 'outgoing-messages',
  why: 'mail in the name of somebody else, or to a topic, is spam or an event that no consumer expects',
  check(service, { parameters }) {
    return entriesOf(service, 'AWS::IAM::Role').flatMap((role) => {
      const statements = allStatements(role);
      const allowed = statements.filter(({ statement }) => statement.Effect === 'Allow');
      const mail = allowed
        .filter(({ statement }) => list(statement.Action).includes('ses:SendEmail'))
        .filter(
          ({ statement }) => !isSame(statement.Condition, { StringEquals: { 'ses:FromAddress': parameters.mailFrom } }),
        )
        .map(({ place }) => `${place}: ses:SendEmail not only from ${parameters.mailFrom}`);
      const publishes = allowed.some(({ statement }) => list(statement.Action).includes('sns:Publish'));
      const deniesTopics = statements.some(
        ({ statement }) =>
          statement.Effect === 'Deny' &&
          statement.Condition === undefined &&
          isSame(list(statement.Action), ['sns:Publish']) &&
          at(statement.Resource, 'Fn::Sub') === `arn:\${AWS::Partition}:sns:*:*:*`,
      );
      const topics = publishes && !deniesTopics ? ['sns:Publish not denied for topics'] : [];
      return [...mail, ...topics].map((problem) => ({ resource: role.id, problem }));
    });
  },
};
