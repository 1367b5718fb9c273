import type { Rule } from '../rule.ts';
import { assumableBy, entriesOf, isSame, list, referenceTo, statementsOf } from '../template.ts';

const byLambda = assumableBy('lambda.amazonaws.com');

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html */
export const functionRoles: Rule = {
  name: 'function-roles',
  why: 'a role that functions share allows each of them what any of them needs',
  check(service) {
    const roles = new Map(entriesOf(service, 'AWS::IAM::Role').map((role) => [role.id, role]));
    const users = new Map<string, string>();
    return entriesOf(service, 'AWS::Lambda::Function').flatMap(({ id, properties }) => {
      const reference = referenceTo(properties.Role) ?? '';
      const role = roles.get(reference);
      const finding = (problem: string) => [{ resource: id, problem }];
      if (!role) return finding(`Role is ${JSON.stringify(properties.Role)}, not a role of this template`);
      const other = users.get(reference);
      users.set(reference, id);
      if (other !== undefined) return finding(`shares ${reference} with ${other}`);
      if (list(role.properties.ManagedPolicyArns).length > 0) {
        return finding(`${reference} has ManagedPolicyArns: what they allow can change without a deployment`);
      }
      const callers = statementsOf(role.properties.AssumeRolePolicyDocument).map(({ Principal }) => Principal);
      if (!isSame(role.properties.AssumeRolePolicyDocument, byLambda)) {
        return finding(`${reference} can be assumed by ${JSON.stringify(callers)}, not by Lambda alone`);
      }
      return [];
    });
  },
};
