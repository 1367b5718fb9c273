import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import {
  at,
  circuitsOf,
  type Entry,
  entriesOf,
  isAnalyticsBus,
  isIntrinsic,
  isPseudonymKey,
  list,
  makesPseudonyms,
  referenceTo,
  sourceTypeOf,
  statementsOf,
} from '../template.ts';
import { groupOfRole } from './schedules.ts';

type Variable = (
  value: unknown,
  context: { service: CompiledService; workspace: CompiledWorkspace; handler: Entry },
) => boolean;

const refersTo =
  (type: string): Variable =>
  (value, { service }) =>
    'Ref' in Object(value) && service.template.Resources?.[referenceTo(value) ?? '']?.Type === type;
/** By name: the tables of one service hold different things. */
const table =
  (id: string): Variable =>
  (value, context) =>
    refersTo('AWS::DynamoDB::Table')(value, context) && referenceTo(value) === id;
const queue = refersTo('AWS::SQS::Queue');
const whole: Variable = (value) => /^[1-9]\d*$/.test(String(value));

/** What a credential looks like, wherever it stands. */
const secret = /^(sk|pk|rk|ghp|gho|xox[a-z])[_-]|^(AKIA|ASIA|eyJ)|-----BEGIN|:\/\/[^/]*@/;
const secretName = /SECRET|TOKEN|PASSWORD|PASSPHRASE|CREDENTIAL|API_?KEY|PRIVATE/;

/** Any other setting of this repository: what serverless.stages.yml says of the stage by the same name, or a number. */
const plainSetting = (name: string, value: unknown, { parameters }: CompiledWorkspace) =>
  /^MILLRACE_[A-Z_]+$/.test(name) &&
  !secretName.test(name) &&
  !secret.test(String(value)) &&
  String(value) === String(parameters[parameterOf(name)] ?? /^\d{1,9}$/.exec(String(value))?.[0]);

/** `MILLRACE_ORDERS_PER_HOUR` → `ordersPerHour` */
function parameterOf(name: string): string {
  return name
    .replace('MILLRACE_', '')
    .toLowerCase()
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The variables whose value is known. Of others only those of this repository may be there. One of Node.js, Lambda or a library may switch a safeguard off (NODE_OPTIONS, NODE_TLS_REJECT_UNAUTHORIZED,
 * AWS_LAMBDA_EXEC_WRAPPER), send requests elsewhere (AWS_ENDPOINT_URL, HTTPS_PROXY), log what is in events (POWERTOOLS_LOGGER_LOG_EVENT,
 * POWERTOOLS_DEV), or hold a secret.
 */
const variables: Readonly<Record<string, Variable>> = {
  MILLRACE_STAGE: (value, { service }) => value === service.stage,
  MILLRACE_TABLE: table('Table'),
  MILLRACE_IDEMPOTENCY_TABLE: table('IdempotencyTable'),
  MILLRACE_PROJECTIONS_TABLE: table('ProjectionsTable'),
  MILLRACE_EVENT_BUS: (value, { service }) => at(value, 'Fn::ImportValue') === `millrace-${service.stage}:EventBusName`,
  MILLRACE_ANALYTICS_BUS: (value, { service }) => isAnalyticsBus(value, service.stage, 'Name'),
  MILLRACE_PSEUDONYM_KEY_ARN: (value, { service }) => isPseudonymKey(value, service.stage),
  MILLRACE_CONSUMER: (value, { service, handler }) =>
    value === `${service.name}.${String(handler.properties.FunctionName).split('-').at(-1)}`,
  MILLRACE_CONSUMER_QUEUE_URL: queue,
  MILLRACE_CONSUMER_DLQ_URL: queue,
  MILLRACE_PARKING_QUEUE_URL: queue,
  MILLRACE_RELAY_DLQ_URL: queue,
  MILLRACE_SCHEDULE_GROUP: refersTo('AWS::Scheduler::ScheduleGroup'),
  MILLRACE_SCHEDULE_ROLE_ARN: (value, { service }) => groupOfRole(service, referenceTo(value) ?? '') !== undefined,
  MILLRACE_SCHEDULE_DLQ_ARN: (value, { service }) => {
    const id = referenceTo(value) ?? '';
    return /ScheduleDeadLetterQueue$/.test(id) && service.template.Resources?.[id]?.Type === 'AWS::SQS::Queue';
  },
  MILLRACE_SCHEDULE_BUS_ARN: (value, { service }) =>
    at(value, 'Fn::ImportValue') === `millrace-${service.stage}:EventBusArn`,
  MILLRACE_QUEUE_RETENTION: whole,
  MILLRACE_MAX_RECEIVE_COUNT: whole,
  MILLRACE_MAX_RETRY_DELAY: whole,
  MILLRACE_PARTNER: (value, { handler }) =>
    String(handler.properties.FunctionName).toLowerCase().endsWith(`admit${value}`),
  MILLRACE_INTERACTION_STREAM: refersTo('AWS::Kinesis::Stream'),
  MILLRACE_STATE_MACHINE: refersTo('AWS::StepFunctions::StateMachine'),
  MILLRACE_CHECKOUT_FUNCTION: refersTo('AWS::Lambda::Alias'),
  MILLRACE_REPLAYS: (value) => ['ignore', 'handle', 'rebuild'].includes(String(value)),
  MILLRACE_RETENTION_DAYS: (value, { workspace }) =>
    String(value) === String(workspace.parameters.eventLogRetentionDays),
  MILLRACE_MAIL_FROM: (value, { workspace }) => value === workspace.parameters.mailFrom,
  MILLRACE_OPERATIONS_EMAIL: (value, { workspace }) => value === workspace.parameters.operationsEmail,
  MILLRACE_APPROVERS_EMAIL: (value, { workspace }) => value === workspace.parameters.approversEmail,
  POWERTOOLS_SERVICE_NAME: (value, { service }) => value === `millrace-${service.name}`,
  POWERTOOLS_METRICS_NAMESPACE: (value) => value === 'Millrace',
  // At DEBUG a library may log what it sends.
  POWERTOOLS_LOG_LEVEL: (value, { service, workspace }) =>
    service.stage === 'prod' ? value === 'INFO' : value === workspace.parameters.logLevel,
  NODE_OPTIONS: (value) => value === '--enable-source-maps',
};

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export const functionEnvironment: Rule = {
  name: 'function-environment',
  why: 'whoever may read a configuration reads its variables, and some of them change what the code does',
  check(service, workspace) {
    return entriesOf(service, 'AWS::Lambda::Function').flatMap((handler) => {
      const environment = (at(handler.properties, 'Environment', 'Variables') ?? {}) as Record<string, unknown>;
      const finding = (problem: string) => ({ resource: handler.id, problem });
      return [
        ...Object.entries(environment).flatMap(([name, value]) => {
          const isRight = variables[name];
          // The value is left out: it may be a secret.
          if (!isRight && plainSetting(name, value, workspace)) return [];
          if (!isRight)
            return [
              finding(`Environment has ${name}, which is not a setting of this repository, or has a value of its own`),
            ];
          if (isRight(value, { service, workspace, handler })) return [];
          return [
            finding(
              `${name} has a value that it may not have${isIntrinsic(value) ? `: ${JSON.stringify(value)}` : ''}`,
            ),
          ];
        }),
        ...needed(service, handler, workspace)
          .filter(
            ([name, value]) =>
              JSON.stringify(environment[name]) !== JSON.stringify(value ?? environment[name]) ||
              environment[name] === undefined,
          )
          .map(([name]) => finding(`${name} is missing, or not that of its own queue`)),
        ...unnamed(service, handler, environment),
      ];
    });
  },
};

/** What the function's role allows, and no variable names: the code would not find it. */
function unnamed(service: CompiledService, { id, properties }: Entry, environment: Record<string, unknown>) {
  const role = service.template.Resources?.[referenceTo(properties.Role) ?? '']?.Properties ?? {};
  const statements = list(role.Policies).flatMap((each) => statementsOf(at(each, 'PolicyDocument')));
  const named = new Set(Object.values(environment).map(referenceTo));
  const tables = statements
    .filter(({ Action }) =>
      list(Action).some((action) => /^dynamodb:(?!GetRecords|GetShard|Describe|List)/.test(String(action))),
    )
    .flatMap(({ Resource }) =>
      list(Resource).map((each) => /^\$\{(\w+)\.Arn\}/.exec(String(at(each, 'Fn::Sub')))?.[1] ?? referenceTo(each)),
    );
  const startsDurable = statements.some(({ Resource }) =>
    list(Resource).some((each) => service.template.Resources?.[referenceTo(each) ?? '']?.Type === 'AWS::Lambda::Alias'),
  );
  const may = (action: string) => statements.some(({ Action }) => list(Action).includes(action));
  return [
    ...tables.filter((each) => each !== undefined && !named.has(each)).map((each) => `no variable names ${each}`),
    ...(may('events:PutEvents') && environment.MILLRACE_EVENT_BUS === undefined ? ['no variable names the bus'] : []),
    ...(statements.some(({ Resource }) => list(Resource).some((each) => isAnalyticsBus(each, service.stage))) &&
    environment.MILLRACE_ANALYTICS_BUS === undefined
      ? ['no variable names the analytics bus']
      : []),
    ...(may('kms:GenerateMac') && environment.MILLRACE_PSEUDONYM_KEY_ARN === undefined
      ? ['no variable names the key of pseudonyms']
      : []),
    ...(may('scheduler:CreateSchedule')
      ? ['GROUP', 'ROLE_ARN', 'DLQ_ARN', 'BUS_ARN']
          .filter((each) => environment[`MILLRACE_SCHEDULE_${each}`] === undefined)
          .map((each) => `no variable MILLRACE_SCHEDULE_${each}`)
      : []),
    ...(['StartExecution', 'DescribeExecution', 'SendTaskSuccess'].some((name) => may(`states:${name}`)) &&
    environment.MILLRACE_STATE_MACHINE === undefined
      ? ['no variable names the state machine']
      : []),
    ...(may('states:StartExecution') && environment.MILLRACE_APPROVAL_ABOVE === undefined
      ? ['no variable says which orders a person has to approve']
      : []),
    ...((may('lambda:GetDurableExecution') || may('lambda:SendDurableExecutionCallbackSuccess') || startsDurable) &&
    environment.MILLRACE_CHECKOUT_FUNCTION === undefined
      ? ['no variable names the durable function']
      : []),
    ...(may('kinesis:PutRecords') && environment.MILLRACE_INTERACTION_STREAM === undefined
      ? ['no variable names the stream']
      : []),
    ...(may('ses:SendEmail') && environment.MILLRACE_MAIL_FROM === undefined ? ['no variable names the sender'] : []),
    ...(service.template.Resources?.ParkingQueue && environment.MILLRACE_PARKING_QUEUE_URL === undefined
      ? ['no variable names ParkingQueue']
      : []),
  ].map((problem) => ({ resource: id, problem }));
}

/** What the libraries need, with the value where the template says it elsewhere, too. */
function needed(
  service: CompiledService,
  { id, properties: { FunctionName } }: Entry,
  workspace: CompiledWorkspace,
): Array<[string, unknown]> {
  const everywhere = [
    'MILLRACE_STAGE',
    'POWERTOOLS_SERVICE_NAME',
    'POWERTOOLS_LOG_LEVEL',
    'POWERTOOLS_METRICS_NAMESPACE',
    'NODE_OPTIONS',
  ];
  const needs = everywhere.map((name): [string, unknown] => [name, undefined]);
  for (const { properties } of entriesOf(service, 'AWS::Lambda::EventSourceMapping')) {
    if (referenceTo(properties.FunctionName) !== id) continue;
    const source = referenceTo(properties.EventSourceArn) ?? '';
    const own = service.template.Resources?.[source];
    if (own?.Type !== 'AWS::SQS::Queue') {
      const destination = referenceTo(at(properties, 'DestinationConfig', 'OnFailure', 'Destination'));
      if (sourceTypeOf(properties.EventSourceArn, service) === 'AWS::Kinesis::Stream') {
        needs.push(['MILLRACE_CONSUMER', undefined], ['MILLRACE_CONSUMER_DLQ_URL', { Ref: destination }]);
        continue;
      }
      needs.push(['MILLRACE_EVENT_BUS', undefined], ['MILLRACE_RELAY_DLQ_URL', { Ref: destination }]);
      const { exampleEvents } = workspace;
      const hasVariants = exampleEvents.some((each) => each.source === `millrace.${service.name}` && each.variant);
      if (hasVariants) needs.push(['MILLRACE_ANALYTICS_BUS', undefined]);
      if (makesPseudonyms(service, workspace)) needs.push(['MILLRACE_PSEUDONYM_KEY_ARN', undefined]);
      continue;
    }
    const redrive = own.Properties?.RedrivePolicy;
    needs.push(
      ['MILLRACE_CONSUMER', undefined],
      ['MILLRACE_CONSUMER_QUEUE_URL', { Ref: source }],
      ['MILLRACE_CONSUMER_DLQ_URL', { Ref: referenceTo(at(redrive, 'deadLetterTargetArn')) }],
      ['MILLRACE_MAX_RECEIVE_COUNT', String(at(redrive, 'maxReceiveCount'))],
      ['MILLRACE_QUEUE_RETENTION', String(own.Properties?.MessageRetentionPeriod)],
      ['MILLRACE_MAX_RETRY_DELAY', undefined],
      ['MILLRACE_REPLAYS', undefined],
    );
  }
  // Of a service that calls a provider everything may, but for its relay.
  if (circuitsOf[service.name] && !String(FunctionName).endsWith('-relay')) {
    needs.push(['MILLRACE_CIRCUIT_MINIMUM_CALLS', undefined], ['MILLRACE_CIRCUIT_OPEN_SECONDS', undefined]);
  }
  return needs;
}
