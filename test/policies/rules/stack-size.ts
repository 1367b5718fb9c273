import type { Rule } from '../rule.ts';

/** Resources of a stack, with room for a service to grow before somebody has to split it. */
const most = 400;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const stackSize: Rule = {
  name: 'stack-size',
  why: 'CloudFormation takes 500 resources in a stack, and dividing one that is full moves tables and queues',
  check({ template }) {
    const { length } = Object.keys(template.Resources ?? {});
    return length <= most ? [] : [{ resource: '', problem: `has ${length} resources, more than ${most}` }];
  },
};
