import { at, list, type Statement } from '../template.ts';
import { type Break, type Breaks, setting, type Target, typed } from './break.ts';

const isGroup = 'AWS::Scheduler::ScheduleGroup';
const isRate = typed('AWS::Events::Rule', ({ properties }) => properties.ScheduleExpression !== undefined);
const makesSchedules = typed('AWS::IAM::Role', ({ properties }) =>
  JSON.stringify(properties).includes('scheduler:CreateSchedule'),
);

/** Something else that belongs to a group, changed or taken away; the rule then speaks of the group. */
const beside = (
  title: string,
  ending: string,
  change: (properties: Record<string, unknown>) => void,
  says: RegExp,
): Break => ({
  title,
  applies: isGroup,
  change: ({ id, resources }) => change(resources[id.replace(/Group$/, ending)]?.Properties ?? {}),
  says,
});
const without = (title: string, applies: Break['applies'], matches: RegExp, says: RegExp): Break => ({
  title,
  applies,
  change: ({ resources }) => {
    for (const id of Object.keys(resources)) if (matches.test(id)) delete resources[id];
  },
  says,
});
const statements = (properties: Record<string, unknown>) =>
  list(at(list(properties.Policies)[0], 'PolicyDocument', 'Statement')) as Statement[];
const passRole = ({ properties }: Pick<Target, 'properties'>) =>
  statements(properties).filter(({ Action }) => list(Action).includes('iam:PassRole'));

/** Schedules that act for another service, or fail in silence. */
export const schedules: Breaks = {
  schedules: [
    beside(
      'a role for schedules of any group',
      'Role',
      (role) => {
        const [statement] = list(at(role.AssumeRolePolicyDocument, 'Statement')) as Statement[];
        delete statement?.Condition;
      },
      /can be assumed by others/,
    ),
    beside(
      'a role for functions, too',
      'Role',
      (role) => {
        const [statement] = list(at(role.AssumeRolePolicyDocument, 'Statement')) as Statement[];
        if (statement) statement.Principal = { Service: ['scheduler.amazonaws.com', 'lambda.amazonaws.com'] };
      },
      /can be assumed by others/,
    ),
    beside(
      'managed policies',
      'Role',
      (role) => {
        role.ManagedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess'];
      },
      /ManagedPolicyArns$/,
    ),
    beside(
      'a role that may not put events',
      'Role',
      (role) => {
        statements(role).shift();
      },
      /does not allow events:PutEvents/,
    ),
    without(
      'schedules that fail in silence',
      isGroup,
      /ScheduleFailingAlarm$/,
      /^no alarm goes off when its schedules fail$/,
    ),
    beside(
      'an alarm that waits for an hour',
      'FailingAlarm',
      (alarm) => {
        alarm.EvaluationPeriods = 60;
      },
      /^no alarm goes off when its schedules fail$/,
    ),
    {
      title: 'a group for two functions',
      applies: isGroup,
      change: ({ id, resources }) => {
        const maker = id.replace(/ScheduleGroup$/, 'Role');
        const role = resources[maker];
        if (role) resources[`${maker}Second`] = structuredClone(role);
      },
      says: /^2 roles may make schedules of it, not one$/,
    },
    {
      title: 'a role that is passed to anybody',
      applies: makesSchedules,
      change: (target) => {
        for (const statement of passRole(target)) delete statement.Condition;
      },
      says: /iam:PassRole not to EventBridge Scheduler alone$/,
    },
    {
      title: 'schedules without a role',
      applies: makesSchedules,
      change: ({ properties }) => {
        const all = statements(properties);
        all.splice(
          all.findIndex(({ Action }) => list(Action).includes('iam:PassRole')),
          1,
        );
      },
      says: /^may make schedules, and not give them a role$/,
    },
    without(
      'a rate that stops in silence',
      isRate,
      /StoppedAlarm$/,
      /^no alarm goes off when its function does not run$/,
    ),
    without(
      'a rate that fails in silence',
      isRate,
      /FailingAlarm$/,
      /^no alarm goes off when its function fails again and again$/,
    ),
  ],
  'dead-letter-queues': [
    without(
      'schedules without one',
      isGroup,
      /ScheduleDeadLetterQueue$/,
      /^DeadLetterConfig of its schedules: no dead-letter queue of this template$/,
    ),
  ],
  'resource-shapes': [
    setting(
      'a sweep once a day',
      isRate,
      'ScheduleExpression',
      'rate(1 day)',
      /^ScheduleExpression is "rate\(1 day\)"/,
    ),
    setting('a sweep that does not run', isRate, 'State', 'DISABLED', /^State is "DISABLED"/),
  ],
  'resource-policies': [
    without(
      'a rate that may not call its function',
      isRate,
      /PermissionEventsRuleSchedule/,
      /^may not call its function$/,
    ),
  ],
};
