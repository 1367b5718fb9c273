import { nameLimits } from '@millrace/events/aws-limits';
import type { Rule } from '../rule.ts';
import { entries } from '../template.ts';

/** The suite runs at every stage of custom.consumers.stages, so at the one with the longest name, too. */
export const nameLengths: Rule = {
  name: 'name-lengths',
  why: 'a deployment would fail half way at the stage with the longest name',
  check(service) {
    return entries(service).flatMap(({ id, type, properties }) => {
      const { property, length } = nameLimits[type] ?? { property: '', length: 0 };
      const name = properties[property];
      if (name === undefined) return [];
      if (typeof name !== 'string') return [{ resource: id, problem: `${property} is not a literal name` }];
      if (name.length <= length) return [];
      return [{ resource: id, problem: `${property} ${name} has ${name.length} characters, AWS allows ${length}` }];
    });
  },
};
