import { at, list, referenceTo } from '../template.ts';
import { type Breaks, setting, type Target, typed } from './break.ts';

const isPipe = 'AWS::Pipes::Pipe';
const isRoleOfPipe = typed(
  'AWS::IAM::Role',
  ({ properties }) => at(list(properties.Policies)[0], 'PolicyName') === 'pipe',
);
const pipeIn = ({ resources }: Target): string =>
  Object.keys(resources).find((id) => resources[id]?.Type === isPipe) ?? '';
const sourceOf = ({ resources }: Target): unknown =>
  referenceTo(resources[pipeIn({ resources } as Target)]?.Properties?.Source);
const isSource = typed('AWS::SQS::Queue', (target) => sourceOf(target) === target.id);
const isEnrichment = typed('AWS::Lambda::Function', (target) => {
  const pipe = target.resources[pipeIn(target)];
  return referenceTo(pipe?.Properties?.Enrichment) === target.id;
});

const statements = 'Policies.0.PolicyDocument.Statement';
const pattern = 'SourceParameters.FilterCriteria.Filters.0.Pattern';
const leavesOut = /may leave out an order/;
const tooMuch = /or allows more/;
const reasons = /does not know its queue and its dead-letter queue/;

export const pipes: Breaks = {
  pipes: [
    setting('a filter on the body', isPipe, pattern, '{"body": {"currency": ["EUR"]}}', leavesOut),
    setting(
      'a filter on two things',
      isPipe,
      pattern,
      '{"messageAttributes": {}, "messageId": [{"exists": true}]}',
      leavesOut,
    ),
    setting(
      'a filter for an attribute that has to be there',
      isPipe,
      pattern,
      '{"messageAttributes": {"purpose": {"stringValue": ["order"]}}}',
      leavesOut,
    ),
    setting(
      'a filter that lets tests through',
      isPipe,
      pattern,
      '{"messageAttributes": {"purpose": {"stringValue": [{"exists": false}, {"exists": true}]}}}',
      leavesOut,
    ),
    setting('no filter in the list', isPipe, 'SourceParameters.FilterCriteria.Filters', [], leavesOut),
    setting('a filter that is not JSON', isPipe, pattern, '{', leavesOut),
    setting(
      'a function of nobody',
      isPipe,
      'Target',
      { 'Fn::Sub': 'arn:aws:lambda:us-east-1:999999999999:function:elsewhere' },
      /Target is not a function of this stage/,
    ),
    setting(
      'a role for every pipe',
      isRoleOfPipe,
      'AssumeRolePolicyDocument.Statement.0.Condition',
      undefined,
      /for this pipe alone/,
      pipeIn,
    ),
    setting(
      'a role for functions, too',
      isRoleOfPipe,
      'AssumeRolePolicyDocument.Statement.0.Principal',
      { Service: ['pipes.amazonaws.com', 'lambda.amazonaws.com'] },
      /for this pipe alone/,
      pipeIn,
    ),
    setting('every action on the queue', isRoleOfPipe, `${statements}.0.Action`, 'sqs:*', tooMuch, pipeIn),
    setting('every queue', isRoleOfPipe, `${statements}.0.Resource`, '*', tooMuch, pipeIn),
    setting('every function', isRoleOfPipe, `${statements}.1.Resource`, '*', tooMuch, pipeIn),
    setting('no key', isRoleOfPipe, `${statements}.2.Action`, ['kms:*'], tooMuch, pipeIn),
    setting(
      'a queue that hides messages too briefly',
      isSource,
      'VisibilityTimeout',
      30,
      /its functions need 120 s/,
      pipeIn,
    ),
    setting(
      'a queue that hides messages for an hour',
      isSource,
      'VisibilityTimeout',
      3600,
      /its functions need 120 s/,
      pipeIn,
    ),
    setting(
      'an enrichment without a place for letters',
      isEnrichment,
      'Environment.Variables.MILLRACE_CONSUMER_DLQ_URL',
      undefined,
      reasons,
      pipeIn,
    ),
    setting(
      'an enrichment that writes letters into its own queue',
      isEnrichment,
      'Environment.Variables.MILLRACE_CONSUMER_DLQ_URL',
      { Ref: 'AcmeQueue' },
      reasons,
      pipeIn,
    ),
    {
      title: 'a pipe out of a queue',
      applies: 'AWS::SQS::Queue',
      change: ({ id, resources }) => {
        resources.Extra = { Type: isPipe, Properties: { Source: { 'Fn::GetAtt': [id, 'Arn'] } } };
      },
      says: /Target is not a function of this stage/,
      names: () => 'Extra',
    },
    {
      title: 'a second pipe for the queue',
      applies: isPipe,
      change: ({ resources, resource }) => {
        resources.Second = structuredClone(resource);
      },
      says: /feeds another pipe, too/,
    },
    {
      title: 'no alarm for orders that wait',
      applies: isPipe,
      change: ({ resources }) => {
        for (const [id, { Properties }] of Object.entries(resources)) {
          if (Properties?.MetricName === 'ApproximateAgeOfOldestMessage') delete resources[id];
        }
      },
      says: /no alarm goes off when \w+ is late/,
    },
  ],
};
