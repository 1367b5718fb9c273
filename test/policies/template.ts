import type { CompiledService, CompiledWorkspace, Resource } from './compiled-workspace.ts';

/** A resource with its logical id. */
export interface Entry {
  id: string;
  type: string;
  properties: Record<string, unknown>;
  deletionPolicy: string | undefined;
  updateReplacePolicy: string | undefined;
}

export function entries({ template }: CompiledService): Entry[] {
  return Object.entries(template.Resources ?? {}).map(([id, resource]) => entry(id, resource));
}

export function entriesOf({ template }: CompiledService, type: string): Entry[] {
  const found: Entry[] = [];
  for (const id in template.Resources) {
    const resource = template.Resources[id];
    if (resource?.Type === type) found.push(entry(id, resource));
  }
  return found;
}

/** One resource as rules read it. */
export function entry(id: string, { Type, Properties, DeletionPolicy, UpdateReplacePolicy }: Resource): Entry {
  return {
    id,
    type: Type,
    properties: Properties ?? {},
    deletionPolicy: DeletionPolicy,
    updateReplacePolicy: UpdateReplacePolicy,
  };
}

/** Whether a function runs durable executions. */
export function isDurable({ properties }: Pick<Entry, 'properties'>): boolean {
  return properties.DurableConfig !== undefined;
}

/** The durable executions of a function of this name, of all its versions. */
export function durableExecutionsOf(functionName: unknown): object {
  return stageArn('lambda', `function:${functionName}:*/durable-execution/*/*`);
}

/** The logical id that `Ref` or `Fn::GetAtt` points at; undefined for anything else. */
export function referenceTo(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: unknown; 'Fn::GetAtt'?: unknown };
  if (typeof Ref === 'string') return Ref;
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
export interface Statement {
  Sid?: string;
  Effect: string;
  Principal?: unknown;
  Action?: unknown;
  NotAction?: unknown;
  Resource?: unknown;
  NotResource?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** The trust policy of a role that one service of AWS may assume, and no other. */
export function assumableBy(service: string, condition?: Statement['Condition']): object {
  const Statement = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' };
  return { Version: '2012-10-17', Statement: [condition ? { ...Statement, Condition: condition } : Statement] };
}

/**
 * The ARN of something in the stage's account and Region.
 * @example stageArn('sqs', 'millrace-orders-dev-relay-dlq')
 */
export function stageArn(service: string, resource: unknown): object {
  return { 'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}` };
}

/** A policy document's statements, which may be one alone. */
export function statementsOf(document: unknown): Statement[] {
  return list((document as { Statement?: unknown } | undefined)?.Statement) as Statement[];
}

/** Where an identity or a resource gets permissions: the place inside the resource, and the statement. */
export function allStatements({ properties }: Entry): Array<{ place: string; statement: Statement }> {
  const documents = [
    ['PolicyDocument', properties.PolicyDocument],
    ['KeyPolicy', properties.KeyPolicy],
    ['Policy', properties.Policy],
    ...list(properties.Policies).map((policy, index) => [
      `Policies[${index}]`,
      (policy as { PolicyDocument?: unknown }).PolicyDocument,
    ]),
  ] as Array<[string, unknown]>;
  return documents.flatMap(([name, document]) =>
    statementsOf(document).map((statement, index) => ({ place: `${name}.Statement[${index}]`, statement })),
  );
}

/** A value that may be one or several. */
export function list(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** A nested value, e.g. `at(properties, 'DestinationConfig', 'OnFailure', 'Destination')`. */
export function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );
}

/** Whether a value is what the stack of the buses exports of that of analytics. */
export function isAnalyticsBus(value: unknown, stage: string, what: 'Arn' | 'Name' = 'Arn'): boolean {
  return at(value, 'Fn::ImportValue') === `millrace-${stage}:AnalyticsBus${what}`;
}

/** Whether a value is the ARN of the key of pseudonyms. */
export function isPseudonymKey(value: unknown, stage: string): boolean {
  return at(value, 'Fn::ImportValue') === `millrace-${stage}:PseudonymKeyArn`;
}

/** Whether ids of persons leave with variants of a service's events, as pseudonyms. Its relay makes them. */
export function makesPseudonyms(
  { name }: Pick<CompiledService, 'name'>,
  { exampleEvents }: Pick<CompiledWorkspace, 'exampleEvents'>,
): boolean {
  return exampleEvents.some(({ source, hasPseudonyms }) => source === `millrace.${name}` && hasPseudonyms);
}

/** What the stack of interactions exports: the ARN of the stream of views, which other services read. */
export function viewStreamOf(stage: string): object {
  return { 'Fn::ImportValue': `millrace-${stage}:ViewStreamArn` };
}

/** Type of what an event source mapping reads: a resource of its template, or the stream of views. */
export function sourceTypeOf(arn: unknown, { template, stage }: CompiledService): string | undefined {
  if (isSame(arn, viewStreamOf(stage))) return 'AWS::Kinesis::Stream';
  return template.Resources?.[referenceTo(arn) ?? '']?.Type;
}

/** The name of a stream of Kinesis, by the ARN that its reader gives. */
export function streamNameOf(arn: unknown): unknown {
  const id = referenceTo(arn);
  return id === undefined ? { 'Fn::Select': [1, { 'Fn::Split': ['/', arn] }] } : { Ref: id };
}

/** Whether a rule is on the default bus, for the events of services of AWS: there it has no bus of its own, and no schedule. */
export function isOnDefaultBus({ EventBusName, ScheduleExpression }: Record<string, unknown>): boolean {
  return EventBusName === undefined && ScheduleExpression === undefined;
}

/** Where the service loses nothing: the queue that dead letters of a resource go to. `target` is undefined without one. */
export interface DeadLetterHop {
  resource: string;
  what: string;
  target: unknown;
}

/**
 * Every asynchronous hop of a service, with where it puts what it cannot deliver: rule targets, event source mappings,
 * pipes, schedules, asynchronous invocations, subscriptions.
 */
export function asynchronousHops(service: CompiledService): DeadLetterHop[] {
  const queues = new Map(entriesOf(service, 'AWS::SQS::Queue').map(({ id, properties }) => [id, properties]));
  const hops: DeadLetterHop[] = [];
  for (const { id, type, properties } of entries(service)) {
    switch (type) {
      case 'AWS::Events::Rule':
        for (const target of list(properties.Targets)) {
          const what = `target ${at(target, 'Id')}: DeadLetterConfig`;
          hops.push({ resource: id, what, target: at(target, 'DeadLetterConfig', 'Arn') });
          // On the default bus a rule tells of executions that have failed: its target is their dead-letter queue.
          if (isOnDefaultBus(properties)) {
            hops.push({ resource: id, what: `target ${at(target, 'Id')}`, target: at(target, 'Arn') });
          }
        }
        break;
      case 'AWS::Scheduler::Schedule':
        hops.push({
          resource: id,
          what: 'Target.DeadLetterConfig',
          target: at(properties, 'Target', 'DeadLetterConfig', 'Arn'),
        });
        break;
      case 'AWS::Scheduler::ScheduleGroup':
        // Its schedules are made by a function, which is given the queue.
        hops.push({
          resource: id,
          what: 'DeadLetterConfig of its schedules',
          target: { 'Fn::GetAtt': [id.replace(/Group$/, 'DeadLetterQueue'), 'Arn'] },
        });
        break;
      case 'AWS::Lambda::EventSourceMapping': {
        const source = referenceTo(properties.EventSourceArn);
        const queue = source === undefined ? undefined : queues.get(source);
        if (queue && source !== undefined) {
          hops.push({
            resource: source,
            what: 'RedrivePolicy',
            target: at(queue, 'RedrivePolicy', 'deadLetterTargetArn'),
          });
        } else {
          hops.push({
            resource: id,
            what: 'DestinationConfig.OnFailure',
            target: at(properties, 'DestinationConfig', 'OnFailure', 'Destination'),
          });
        }
        break;
      }
      case 'AWS::Pipes::Pipe': {
        const source = referenceTo(properties.Source) ?? id;
        const target = at(queues.get(source), 'RedrivePolicy', 'deadLetterTargetArn');
        hops.push({ resource: source, what: 'RedrivePolicy', target });
        break;
      }
      case 'AWS::SNS::Subscription':
        hops.push({
          resource: id,
          what: 'RedrivePolicy',
          target: at(properties, 'RedrivePolicy', 'deadLetterTargetArn'),
        });
        break;
      case 'AWS::Lambda::Permission':
        if (asynchronousCallers.has(String(properties.Principal))) {
          hops.push(asynchronousInvocation(service, referenceTo(properties.FunctionName) ?? id));
        }
        break;
    }
  }
  return hops;
}

/**
 * Services that hand an event to Lambda and go on; Lambda's own queue is then between the two.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
 */
const asynchronousCallers = new Set([
  'events.amazonaws.com',
  'sns.amazonaws.com',
  's3.amazonaws.com',
  'scheduler.amazonaws.com',
  'logs.amazonaws.com',
  'ses.amazonaws.com',
  'config.amazonaws.com',
  'iot.amazonaws.com',
  'cloudformation.amazonaws.com',
  'codecommit.amazonaws.com',
]);

function asynchronousInvocation(service: CompiledService, functionId: string): DeadLetterHop {
  const configuration = entriesOf(service, 'AWS::Lambda::EventInvokeConfig').find(
    ({ properties }) => referenceTo(properties.FunctionName) === functionId,
  );
  const own = entries(service).find(({ id }) => id === functionId);
  return {
    resource: functionId,
    what: 'asynchronous invocation: AWS::Lambda::EventInvokeConfig with OnFailure, or DeadLetterConfig',
    target:
      at(configuration?.properties, 'DestinationConfig', 'OnFailure', 'Destination') ??
      at(own?.properties, 'DeadLetterConfig', 'TargetArn'),
  };
}

/** The attribute that `Fn::GetAtt` reads; undefined for `Ref` and anything else. */
export function attributeOf(value: unknown): string | undefined {
  const parts = at(value, 'Fn::GetAtt');
  return Array.isArray(parts) ? String(parts[1]) : undefined;
}

/** Whether a value is one of CloudFormation's functions rather than a plain object. */
export function isIntrinsic(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const [key, ...others] = Object.keys(value);
  return others.length === 0 && key !== undefined && (key === 'Ref' || key === 'Condition' || key.startsWith('Fn::'));
}

/**
 * Whether two values are the same JSON, in whatever order their keys are. Not `isDeepStrictEqual`: it tells values apart that
 * were made in different contexts, as Jest's are.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key as never] !== undefined);
  const others = Object.keys(b).filter((key) => b[key as never] !== undefined);
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as never], b[key as never]))
  );
}

/**
 * The dimensions of the metrics that DynamoDB has of the reads of a table's stream.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
 */
export function streamReadDimensions(table: string): object[] {
  const streamArn = { 'Fn::GetAtt': [table, 'StreamArn'] };
  return [
    { Name: 'TableName', Value: { Ref: table } },
    { Name: 'Operation', Value: 'GetRecords' },
    { Name: 'StreamLabel', Value: { 'Fn::Select': [3, { 'Fn::Split': ['/', streamArn] }] } },
  ];
}

/** The circuits of the providers that a service calls, see libs/circuit-breaker. */
export const circuitsOf: Readonly<Record<string, readonly string[]>> = {
  payments: ['payment-provider'],
  notifications: ['email', 'sms'],
};

/** The dimensions under which the functions of a service report a circuit. */
export function circuitDimensions(service: string, circuit: string): object[] {
  return [
    { Name: 'service', Value: `millrace-${service}` },
    { Name: 'circuit', Value: circuit },
  ];
}
