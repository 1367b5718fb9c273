/** Changes that no rule finds, and need not. */
interface Acceptance {
  /** Every type when it is left out. */
  type?: string;
  path: RegExp;
  change?: RegExp;
  reason: string;
}

/** An entry that covers nothing fails the suite. */
export const accepted: readonly Acceptance[] = [
  {
    path: /^(Properties\.(Alarm)?|Outputs\.(HttpApi(Id|Url)|\w+LambdaFunctionQualifiedArn)\.)Description$/,
    reason: 'a text for people',
  },
  { path: /^Properties\.(DatabaseInput|TableInput)\.(.+\.)?(Description|Comment)$/, reason: 'a text for people' },
  {
    type: 'Template',
    path: /^Outputs\.ServerlessDeploymentBucketName\.Value$/,
    change: /^refer to another$/,
    reason: 'for people; no stack here imports it',
  },
  {
    type: 'AWS::ApiGatewayV2::Authorizer',
    path: /^$/,
    change: /^remove$/,
    reason: 'no route of interactions uses it; of other services the rule route-authorizers misses it',
  },
  { path: /\.Statement\.Sid$/, reason: 'the name of a statement means nothing' },
  { type: 'AWS::CloudWatch::Alarm', path: /\.Metrics\.Label$/, reason: 'a text for people' },
  {
    path: /^Properties\.(AlarmName|Name)$/,
    change: /^replace$/,
    reason: 'another name that fits: nothing refers to it',
  },
  {
    type: 'AWS::ApiGatewayV2::Route',
    path: /RouteKey$/,
    change: /^replace$/,
    reason: 'another path: the end-to-end suites ask for those of the README',
  },
  {
    type: 'AWS::SSM::Parameter',
    path: /^$/,
    change: /^remove$/,
    reason: 'for services of other repositories; nothing here reads it',
  },
  {
    type: 'AWS::Lambda::Function',
    path: /Environment\.Variables\.MILLRACE_SANDBOX_OUTAGES$/,
    change: /^remove$/,
    reason: 'without it the sandbox cannot be switched off, as at prod',
  },
  {
    type: 'Template',
    path: /^Outputs\.(ServerlessDeploymentBucketName|HttpApiId|HttpApiUrl|EventArchiveArn|\w+LambdaFunctionQualifiedArn)$/,
    change: /^remove$/,
    reason: 'for people and other repositories; no stack here imports it',
  },
  {
    type: 'AWS::ApiGatewayV2::Stage',
    path: /DetailedMetricsEnabled$/,
    change: /^remove$/,
    reason: 'false is what it then is',
  },
  {
    type: 'AWS::ApiGatewayV2::Stage',
    path: /RouteSettings(\.(GET|POST) [^.]+)?$/,
    change: /^remove$/,
    reason: 'the route then has the limits of its stage',
  },
  {
    type: 'AWS::Events::Rule',
    path: /EventPattern\.detail-type$/,
    change: /^remove one$/,
    reason: 'the build compares what is consumed with the contracts that the handler names',
  },
  {
    type: 'AWS::Events::Rule',
    path: /EventPattern\.detail\.data\.process$/,
    change: /^add (\*|a stranger)$/,
    reason: 'a process that no order is in',
  },
  {
    type: 'AWS::Events::Rule',
    path: /EventPattern\.detail\.data\.(slotId|reservation\.orderId)$/,
    change: /^add (\*|a stranger)$/,
    reason: 'any id matches already',
  },
  {
    type: 'AWS::Lambda::EventSourceMapping',
    path: /MaximumBatchingWindowInSeconds$/,
    change: /^set [01]$/,
    reason: 'smaller batches cost more, and lose nothing; with a batch that needs a window AWS refuses it',
  },
  {
    type: 'AWS::Lambda::EventSourceMapping',
    path: /ParallelizationFactor$/,
    change: /^set 1$/,
    reason: 'slower, and loses nothing; an alarm says when it falls behind',
  },
  {
    type: 'AWS::Pipes::Pipe',
    path: /BatchSize$/,
    change: /^set 1$/,
    reason: 'costs more, and loses nothing',
  },
  {
    type: 'AWS::Lambda::EventSourceMapping',
    path: /BatchSize$/,
    change: /^set 1$/,
    reason: 'costs more, and loses nothing',
  },
  {
    type: 'AWS::Lambda::Function',
    path: /MILLRACE_(RETENTION_DAYS|OPERATIONS_EMAIL|APPROVERS_EMAIL|ORDERS_PER_HOUR|RESERVATIONS_PER_HOUR|ORDER_TIME_LIMIT_SECONDS|FAILED_PAYMENTS_PER_HOUR|VERIFIED_CONTACTS|SMS_PREFIXES|PARTNER|CHECKOUT_PROCESS|INTERACTION_ORIGINS|INTERACTION_RETENTION_DAYS|FIGURE_RETENTION_DAYS|COHORT_RETENTION_DAYS|SLOT_HORIZON_DAYS)$/,
    change: /^remove$/,
    reason: 'the function does not start without it, which the build tries; without prefixes there is no SMS',
  },
  {
    type: 'AWS::IAM::Role',
    path: /\.Statement(\.(Action|Resource))?$/,
    change: /^(remove one|another effect)$/,
    reason:
      'one permission too few: the local runtime enforces roles, and test/roles sees that each statement is missed',
  },
  {
    type: 'AWS::IAM::Role',
    path: /events:detail-type$/,
    change: /^remove one$/,
    reason: 'narrower: the build takes it from `emits`, and the end-to-end suites miss the event',
  },
  {
    type: 'AWS::DynamoDB::Table',
    path: /NonKeyAttributes$/,
    change: /^(remove one|replace)$/,
    reason: 'lists show less; the tests of the service look at what they show',
  },
];
