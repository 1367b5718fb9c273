import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import {
  allStatements,
  at,
  durableExecutionsOf,
  type Entry,
  entriesOf,
  isAnalyticsBus,
  isDurable,
  isPseudonymKey,
  isSame,
  list,
  makesPseudonyms,
  referenceTo,
  type Statement,
  sourceTypeOf,
} from '../template.ts';
import { rolesOfLake } from './lake.ts';
import { groupOfRole, schedulesOf } from './schedules.ts';
import { isFunction } from './state-machines.ts';

/** Where an action may be allowed: the problem with the resource, if there is one. */
type Place = (resource: unknown, context: Context) => boolean;

interface Context {
  service: CompiledService;
  role: Entry;
  /** The function whose role it is. */
  owner: Entry | undefined;
  workspace: CompiledWorkspace;
}

const read = ['GetItem', 'BatchGetItem', 'Query', 'ConditionCheckItem'].map((name) => `dynamodb:${name}`);
const write = ['PutItem', 'UpdateItem'].map((name) => `dynamodb:${name}`);
const readStream = ['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'].map(
  (name) => `dynamodb:${name}`,
);

const readKinesis = ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
  (name) => `kinesis:${name}`,
);
const runDurable = ['CheckpointDurableExecution', 'GetDurableExecutionState'].map((name) => `lambda:${name}`);

/** Every action that a function may have, with what it may have it on. What is not here would be new. */
const places: ReadonlyArray<{ actions: readonly string[]; on: string; place: Place }> = [
  { actions: read, on: 'a table of this template or its index', place: isTableOrIndex },
  { actions: write, on: 'a table of this template', place: (resource, { service }) => isTable(resource, service) },
  // Rows of other tables are events, marks and states: they go by their time to live, or stay.
  { actions: ['dynamodb:DeleteItem'], on: 'a table of idempotency records', place: isIdempotencyTable },
  { actions: readStream, on: 'the stream of a table of this template', place: isStream },
  { actions: readKinesis, on: 'the stream that feeds the function', place: isOwnQueue },
  { actions: ['kinesis:PutRecords'], on: 'a stream of this template', place: isKinesisStream },
  {
    actions: ['sqs:ReceiveMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    on: 'the queue that feeds the function',
    place: isOwnQueue,
  },
  { actions: ['sqs:DeleteMessage'], on: 'the queue that feeds the function', place: isOwnQueue },
  {
    actions: ['sqs:DeleteMessage'],
    on: 'the queue of the pipe whose enrichment the function is, for what it has moved to the dead-letter queue',
    place: isQueueOfPipe,
  },
  { actions: ['sqs:SendMessage'], on: 'the dead-letter queue of that queue', place: isDeadLetterQueueOfPipe },
  {
    actions: ['sqs:SendMessage'],
    on: "the function's own queue, to defer a message, or its dead-letter queue",
    place: (resource, context) => isOwnQueue(resource, context) || isDeadLetterQueue(resource, context),
  },
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    on: "the function's own log group",
    place: (resource, { owner }) =>
      at(resource, 'Fn::Sub') ===
      `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${owner?.properties.FunctionName}:*`,
  },
  {
    // For what the role may read and write: nothing else is encrypted with it.
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    on: 'the key of the stage',
    place: (resource, { service }) => at(resource, 'Fn::ImportValue') === `millrace-${service.stage}:DataKeyArn`,
  },
  {
    // Whoever may use it can tell which person a pseudonym is of, by trying.
    actions: ['kms:GenerateMac'],
    on: 'the key of pseudonyms, for a relay whose contracts ask for some',
    place: (resource, { service, role, workspace }) =>
      role.id === 'RelayRole' && makesPseudonyms(service, workspace) && isPseudonymKey(resource, service.stage),
  },
  {
    actions: ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
    on: 'the schedules of a group of this template',
    place: (resource, { service }) =>
      entriesOf(service, 'AWS::Scheduler::ScheduleGroup').some(({ properties }) =>
        isSame(resource, schedulesOf(String(properties.Name))),
      ),
  },
  {
    actions: ['iam:PassRole'],
    on: "the role of a group's schedules",
    place: (resource, { service }) =>
      at(resource, 'Fn::GetAtt', '1') === 'Arn' && groupOfRole(service, referenceTo(resource) ?? '') !== undefined,
  },
  {
    actions: ['sqs:SendMessage'],
    on: "the dead-letter queue of the role's schedules",
    place: (resource, { service, role }) =>
      groupOfRole(service, role.id) !== undefined &&
      isSame(resource, { 'Fn::GetAtt': [role.id.replace(/Role$/, 'DeadLetterQueue'), 'Arn'] }),
  },
  {
    actions: ['events:PutEvents'],
    on: 'the bus of the stage',
    place: (resource, { service }) => at(resource, 'Fn::ImportValue') === `millrace-${service.stage}:EventBusArn`,
  },
  {
    actions: ['events:PutEvents'],
    on: 'the analytics bus, for a relay',
    place: (resource, { service, role }) => role.id === 'RelayRole' && isAnalyticsBus(resource, service.stage),
  },
  { actions: ['states:StartExecution'], on: 'a state machine of this template', place: isStateMachine },
  {
    actions: ['states:DescribeExecution', 'states:GetExecutionHistory'],
    on: 'the executions of a state machine of this template',
    place: isExecutions,
  },
  {
    // Whoever has the token of a task may answer it, and nothing else tells whose task it is.
    actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
    on: 'any task that waits for its token',
    place: (resource) => resource === '*',
  },
  {
    actions: runDurable,
    on: "a durable function's own executions",
    place: (resource, { owner }) =>
      owner !== undefined && isDurable(owner) && isSame(resource, durableExecutionsOf(owner.properties.FunctionName)),
  },
  {
    actions: [
      ...['GetDurableExecution', 'GetDurableExecutionHistory'],
      ...['SendDurableExecutionCallbackSuccess', 'SendDurableExecutionCallbackFailure'],
    ].map((name) => `lambda:${name}`),
    on: 'the executions of a durable function of this template',
    place: (resource, { service }) =>
      durableFunctionsOf(service).some(({ properties }) =>
        isSame(resource, durableExecutionsOf(properties.FunctionName)),
      ),
  },
  {
    actions: ['lambda:ListDurableExecutionsByFunction'],
    on: 'a durable function of this template',
    place: (resource, { service }) =>
      durableFunctionsOf(service).some(({ id }) => isSame(resource, { 'Fn::GetAtt': [id, 'Arn'] })),
  },
  {
    actions: ['lambda:InvokeFunction'],
    on: 'the alias of a durable function of this template',
    place: (resource, { service }) =>
      entriesOf(service, 'AWS::Lambda::Alias').some(({ id }) => isSame(resource, { Ref: id })),
  },
  {
    actions: ['lambda:InvokeFunction'],
    on: 'a function of this stage that nothing else calls, for a durable function',
    place: (resource, { owner, service, workspace }) =>
      owner !== undefined &&
      isDurable(owner) &&
      isFunction(resource, service, workspace.services) &&
      !hasCaller(referenceTo(resource) ?? '', service),
  },
];

/**
 * A role allows only what `places` lists, and only on what belongs to its function. An HTTP GET only reads.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
 */
export const permittedActions: Rule = {
  name: 'permitted-actions',
  why: 'a function that is taken over can do what its role allows, to whatever its role names',
  exceptions: [
    {
      service: 'orders',
      resource: /^(PostCancellation|OnOrderProgress|OnTimeLimitReached|SweepTimeLimits)Role$/,
      problem: /: dynamodb:DeleteItem on \{"Fn::GetAtt":\["Table","Arn"\]\}/,
      reason: 'who ends an order takes it out of the open ones, in the same transaction',
    },
    {
      service: 'reservations',
      resource:
        /^((Post|Delete)(Reservation|Closure)|PostCheck(In|Out)|OnOrderCancelled|OnTimeLimitReached|SweepTimeLimits)Role$/,
      problem: /: dynamodb:DeleteItem on \{"Fn::GetAtt":\["Table","Arn"\]\}/,
      reason:
        'who reserves or ends a reservation takes rows of free slots and of time limits out, in the same transaction',
    },
    {
      service: 'notifications',
      resource:
        /^(On(OrderOutcome|StockRanLow|CheckoutApprovalRequested)|SendConfirmationForCheckout|NotifyCancellationForCheckout)Role$/,
      problem: /ses:SendEmail on .*:ses:\$\{AWS::Region\}:\$\{AWS::AccountId\}:identity\/\*"\}/,
      reason: 'mail is what it is for; the rule outgoing-messages looks at the conditions',
    },
    {
      service: 'notifications',
      resource: /^(OnOrderOutcome|SendConfirmationForCheckout|NotifyCancellationForCheckout)Role$/,
      problem: /sns:Publish on "\*"/,
      reason: 'SMS is what it is for; the rule outgoing-messages looks for the statement that denies topics',
    },
    {
      service: 're-emitter',
      resource: /^ReemitRole$/,
      problem:
        /sqs:DeleteMessage on .*:sqs:\$\{AWS::Region\}:\$\{AWS::AccountId\}:millrace-\*-[a-z]+-\*dlq(\.fifo)?"\}/,
      reason: 'a dead letter that was put back is deleted from the queue of the service that it came from',
    },
    {
      service: 're-emitter',
      resource: /^ReemitRole$/,
      problem: /: sqs:SendMessage on \{"Fn::GetAtt":\["ParkingQueue","Arn"\]\}/,
      reason: 'what cannot be put back is parked',
    },
  ],
  check(service, workspace) {
    return functionRolesOf(service).flatMap((role): Finding[] => {
      const owner = entriesOf(service, 'AWS::Lambda::Function').find(
        ({ properties }) => referenceTo(properties.Role) === role.id,
      );
      const readsOnly = owner !== undefined && answersOnlyGet(service, owner.id);
      const problems = allStatements(role).flatMap(({ place, statement }) =>
        statement.Effect === 'Allow'
          ? problemsOf(statement, { service, role, owner, workspace }, readsOnly).map(
              (problem) => `${place}: ${problem}`,
            )
          : [],
      );
      return [...problems, ...missing(service, role, owner)].map((problem) => ({ resource: role.id, problem }));
    });
  },
};

function problemsOf(statement: Statement, context: Context, readsOnly: boolean): string[] {
  const actions = list(statement.Action).map(String);
  const resources = list(statement.Resource);
  if (actions.length === 0 || resources.length === 0) return ['names no action or no resource'];
  return actions.flatMap((action) => {
    if (readsOnly && write.includes(action)) {
      const forIdempotency = resources.every((resource) => isIdempotencyTable(resource, context));
      if (!forIdempotency) return [`${action} for a function that only answers GET`];
    }
    const known = places.filter(({ actions: listed }) => listed.includes(action));
    return resources
      .filter((resource) => !known.some(({ place }) => place(resource, context)))
      .map((resource) => {
        const where = known.map(({ on }) => on).join(' or ') || 'anything: it is not listed';
        return `${action} on ${JSON.stringify(resource)}, may be allowed on ${where}`;
      });
  });
}

/** What Lambda and the handlers of this repository cannot do without, so that it fails here and not when the first message comes. */
function missing(service: CompiledService, role: Entry, owner: Entry | undefined): string[] {
  if (owner === undefined) return groupOfRole(service, role.id) ? [] : ['belongs to no function'];
  const allowed = allStatements(role).filter(({ statement }) => statement.Effect === 'Allow');
  const may = (action: string, of: unknown) =>
    allowed.some(
      ({ statement }) =>
        list(statement.Action).includes(action) &&
        list(statement.Resource).some((resource) => referenceTo(resource) === of || isSame(resource, of)),
    );
  const needs: Array<[string, unknown]> = [];
  for (const { properties } of entriesOf(service, 'AWS::Lambda::EventSourceMapping')) {
    if (referenceTo(properties.FunctionName) !== owner.id) continue;
    const source = referenceTo(properties.EventSourceArn) ?? '';
    if (service.template.Resources?.[source]?.Type === 'AWS::SQS::Queue') {
      const queue = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility'];
      needs.push(...queue.map((name): [string, string] => [`sqs:${name}`, source]));
      const redrive = service.template.Resources?.[source]?.Properties?.RedrivePolicy;
      needs.push(['sqs:SendMessage', referenceTo(at(redrive, 'deadLetterTargetArn')) ?? '']);
    } else {
      const isKinesis = sourceTypeOf(properties.EventSourceArn, service) === 'AWS::Kinesis::Stream';
      const [reading, from] = isKinesis ? [readKinesis, properties.EventSourceArn] : [readStream, source];
      needs.push(...reading.map((action): [string, unknown] => [action, from]));
      needs.push([
        'sqs:SendMessage',
        referenceTo(at(properties, 'DestinationConfig', 'OnFailure', 'Destination')) ?? '',
      ]);
    }
  }
  for (const [name, value] of Object.entries((at(owner.properties, 'Environment', 'Variables') ?? {}) as object)) {
    const table = referenceTo(value);
    if (!/_TABLE$/.test(name) || table === undefined) continue;
    const used = allowed.some(({ statement }) => list(statement.Resource).some((each) => tableOf(each) === table));
    if (!used) needs.push(['any action of dynamodb', table]);
  }
  const logs = allowed.some(({ statement }) => list(statement.Action).includes('logs:PutLogEvents'));
  const has = (action: string) => allowed.some(({ statement }) => list(statement.Action).includes(action));
  const decrypts = owner.properties.KmsKeyArn !== undefined;
  return [
    ...(decrypts && !has('kms:Decrypt') ? ['does not allow kms:Decrypt, which its variables need'] : []),
    ...(decrypts && (has('sqs:SendMessage') || has('kinesis:PutRecords')) && !has('kms:GenerateDataKey')
      ? ['does not allow kms:GenerateDataKey, which sending to a queue or a stream needs']
      : []),
    ...needs
      .filter(([action, of]) => !may(action, of))
      .map(([action, of]) => `does not allow ${action} on ${typeof of === 'string' ? of : JSON.stringify(of)}`),
    ...(logs ? [] : ['does not allow logs:PutLogEvents']),
    ...(isDurable(owner) ? runDurable : [])
      .filter((action) => !has(action))
      .map((action) => `does not allow ${action}, without which its executions cannot go on`),
    ...(putsEvents(owner) && !allowed.some(({ statement }) => list(statement.Action).includes('events:PutEvents'))
      ? ['does not allow events:PutEvents']
      : []),
    ...(at(owner.properties, 'Environment', 'Variables', 'MILLRACE_ANALYTICS_BUS') !== undefined &&
    !allowed.some(({ statement }) =>
      list(statement.Resource).some((resource) => isAnalyticsBus(resource, service.stage)),
    )
      ? ['does not allow events:PutEvents on the analytics bus']
      : []),
    ...(at(owner.properties, 'Environment', 'Variables', 'MILLRACE_PSEUDONYM_KEY_ARN') !== undefined &&
    !has('kms:GenerateMac')
      ? ['does not allow kms:GenerateMac, without which its variants have no pseudonyms']
      : []),
  ];
}

function durableFunctionsOf(service: CompiledService): Entry[] {
  return entriesOf(service, 'AWS::Lambda::Function').filter(isDurable);
}

/** Whether a function is called by routes or by a mapping, or is a durable one, which has executions and no callers. */
function hasCaller(functionId: string, service: CompiledService): boolean {
  return (
    durableFunctionsOf(service).some(({ id }) => id === functionId) ||
    [
      ...entriesOf(service, 'AWS::ApiGatewayV2::Integration').map(({ properties }) => properties.IntegrationUri),
      ...entriesOf(service, 'AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.FunctionName),
    ].some((called) => referenceTo(called) === functionId)
  );
}

function putsEvents({ properties }: Entry): boolean {
  return at(properties, 'Environment', 'Variables', 'MILLRACE_EVENT_BUS') !== undefined;
}

/** Whether a function has routes, and all of them are GET. */
function answersOnlyGet(service: CompiledService, functionId: string): boolean {
  const integrations = entriesOf(service, 'AWS::ApiGatewayV2::Integration')
    .filter(({ properties }) => referenceTo(properties.IntegrationUri) === functionId)
    .map(({ id }) => id);
  const routes = entriesOf(service, 'AWS::ApiGatewayV2::Route').filter(({ properties }) =>
    integrations.some((id) => String(JSON.stringify(properties.Target)).includes(`"${id}"`)),
  );
  return routes.length > 0 && routes.every(({ properties }) => /^GET /.test(String(properties.RouteKey)));
}

/** The table that a resource of a statement is part of. */
function tableOf(resource: unknown): string | undefined {
  const substituted = /^\$\{(\w+)\.Arn\}\/index\/\w+$/.exec(String(at(resource, 'Fn::Sub')));
  return substituted?.[1] ?? referenceTo(resource);
}

function isTable(resource: unknown, service: CompiledService): boolean {
  const attribute = at(resource, 'Fn::GetAtt', '1');
  return (
    attribute === 'Arn' && service.template.Resources?.[referenceTo(resource) ?? '']?.Type === 'AWS::DynamoDB::Table'
  );
}

function isTableOrIndex(resource: unknown, { service }: Context): boolean {
  const [, table = '', index] = /^\$\{(\w+)\.Arn\}\/index\/(\w+)$/.exec(String(at(resource, 'Fn::Sub'))) ?? [];
  const indexes = list(service.template.Resources?.[table]?.Properties?.GlobalSecondaryIndexes);
  return isTable(resource, service) || indexes.some((each) => at(each, 'IndexName') === index);
}

function isIdempotencyTable(resource: unknown, { service }: Context): boolean {
  const table = service.template.Resources?.[referenceTo(resource) ?? ''];
  return isTable(resource, service) && /-idempotency$/.test(String(table?.Properties?.TableName));
}

/** All but those of state machines, pipes and lakes, which rules of their own look at. */
function functionRolesOf(service: CompiledService): Entry[] {
  const others = ['AWS::StepFunctions::StateMachine', 'AWS::Pipes::Pipe']
    .flatMap((type) => entriesOf(service, type))
    .map(({ properties }) => referenceTo(properties.RoleArn));
  return entriesOf(service, 'AWS::IAM::Role').filter(({ id }) => ![...others, ...rolesOfLake(service)].includes(id));
}

/** The queues of the pipes whose enrichment the function is. */
function queuesOfPipes({ service, owner }: Context): (string | undefined)[] {
  return entriesOf(service, 'AWS::Pipes::Pipe')
    .filter(({ properties }) => referenceTo(properties.Enrichment) === owner?.id)
    .map(({ properties }) => referenceTo(properties.Source));
}

function isQueueOfPipe(resource: unknown, context: Context): boolean {
  const queue = referenceTo(resource);
  return queue !== undefined && queuesOfPipes(context).includes(queue);
}

function isDeadLetterQueueOfPipe(resource: unknown, context: Context): boolean {
  const queue = referenceTo(resource);
  return queuesOfPipes(context).some((source) => {
    const redrive = context.service.template.Resources?.[source ?? '']?.Properties?.RedrivePolicy;
    return queue !== undefined && referenceTo(at(redrive, 'deadLetterTargetArn')) === queue;
  });
}

function isStateMachine(resource: unknown, { service }: Context): boolean {
  return service.template.Resources?.[String(at(resource, 'Ref'))]?.Type === 'AWS::StepFunctions::StateMachine';
}

function isExecutions(resource: unknown, { service }: Context): boolean {
  const [, machine = ''] =
    /^arn:\$\{AWS::Partition\}:states:\$\{AWS::Region\}:\$\{AWS::AccountId\}:execution:\$\{(\w+)\.Name\}:\*$/.exec(
      String(at(resource, 'Fn::Sub')),
    ) ?? [];
  return service.template.Resources?.[machine]?.Type === 'AWS::StepFunctions::StateMachine';
}

function isStream(resource: unknown, { service }: Context): boolean {
  const table = service.template.Resources?.[referenceTo(resource) ?? ''];
  return table?.Type === 'AWS::DynamoDB::Table' && at(resource, 'Fn::GetAtt', '1') === 'StreamArn';
}

function isKinesisStream(resource: unknown, { service }: Context): boolean {
  const stream = service.template.Resources?.[referenceTo(resource) ?? ''];
  return stream?.Type === 'AWS::Kinesis::Stream' && at(resource, 'Fn::GetAtt', '1') === 'Arn';
}

/** Or the stream. */
function isOwnQueue(resource: unknown, { service, owner }: Context): boolean {
  return entriesOf(service, 'AWS::Lambda::EventSourceMapping').some(
    ({ properties }) =>
      isSame(resource, properties.EventSourceArn) && referenceTo(properties.FunctionName) === owner?.id,
  );
}

/** The one that the function's own source dead-letters into. */
function isDeadLetterQueue(resource: unknown, { service, owner }: Context): boolean {
  const queue = referenceTo(resource);
  return entriesOf(service, 'AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => referenceTo(properties.FunctionName) === owner?.id)
    .some(({ properties }) => {
      const source = service.template.Resources?.[referenceTo(properties.EventSourceArn) ?? ''];
      const targets = [
        at(source?.Properties, 'RedrivePolicy', 'deadLetterTargetArn'),
        at(properties, 'DestinationConfig', 'OnFailure', 'Destination'),
      ];
      return queue !== undefined && targets.some((target) => referenceTo(target) === queue);
    });
}
