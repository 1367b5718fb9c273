import type { CompiledService } from '@millrace/workspace/packaging';

type Template = CompiledService['template'];

/** What of the templates costs something without an order, or limits how many there can be. */
export interface Inventory {
  alarms: { service: string; name: string; metrics: number }[];
  consumers: Consumer[];
  relays: Relay[];
  /** Pipes that read queues. */
  pipes: { service: string; name: string }[];
  /** Streams of Kinesis, whose shards are paid by the hour. */
  streams: { service: string; shards: number }[];
  deliveryStreams: DeliveryStream[];
  /** How long an execution may wait for a person. */
  approvalSeconds: number;
  tables: string[];
  /** Tables with point-in-time recovery. */
  tablesWithRecovery: string[];
  /** Name of the attribute with the time to live, by table. */
  timeToLive: ReadonlyMap<string, string>;
}

/** A stream of Firehose. */
export interface DeliveryStream {
  service: string;
  name: string;
  /** How long it collects what it writes into one object. */
  bufferSeconds: number;
  isPartitioned: boolean;
}

/** A function behind a queue. */
export interface Consumer {
  service: string;
  functionName: string;
  queueName: string;
  maximumConcurrency: number | undefined;
  maxReceiveCount: number;
  /** Longest delay before a retry, in seconds. */
  maxRetryDelay: number;
}

/** A function behind a table's stream. */
export interface Relay {
  service: string;
  functionName: string;
  batchesPerShard: number;
}

interface Mapping {
  FunctionName: Reference;
  EventSourceArn: Reference;
  ScalingConfig?: { MaximumConcurrency?: number };
  ParallelizationFactor?: number;
}

type Reference = string | { Ref?: string; 'Fn::GetAtt'?: [string, string] };

const DEFAULT_RETRY_DELAY = 300;
/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html */
const DEFAULT_BUFFER_SECONDS = 300;

/** Reads the compiled templates of all services. */
export function inventoryOf(packaged: readonly CompiledService[]): Inventory {
  const timeToLive = new Map<string, string>();
  const inventory: Inventory = {
    alarms: [],
    consumers: [],
    relays: [],
    pipes: [],
    streams: [],
    deliveryStreams: [],
    approvalSeconds: 0,
    tables: [],
    tablesWithRecovery: [],
    timeToLive,
  };
  for (const { name, template } of packaged) {
    const service = name.replace(/^millrace-/, '');
    for (const [, alarm] of resourcesOf(template, 'AWS::CloudWatch::Alarm')) {
      inventory.alarms.push({ service, name: String(alarm.AlarmName), metrics: metricsOf(alarm) });
    }
    for (const [, table] of resourcesOf(template, 'AWS::DynamoDB::Table')) {
      const { PointInTimeRecoverySpecification: recovery, TimeToLiveSpecification: ttl } = table as {
        PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled?: unknown };
        TimeToLiveSpecification?: { AttributeName?: string };
      };
      inventory.tables.push(String(table.TableName));
      if (String(recovery?.PointInTimeRecoveryEnabled) === 'true')
        inventory.tablesWithRecovery.push(String(table.TableName));
      if (ttl?.AttributeName !== undefined) timeToLive.set(String(table.TableName), ttl.AttributeName);
    }
    for (const [, { Definition }] of resourcesOf(template, 'AWS::StepFunctions::StateMachine')) {
      inventory.approvalSeconds = Math.max(inventory.approvalSeconds, ...waitsOf(Definition));
    }
    for (const [, { ShardCount }] of resourcesOf(template, 'AWS::Kinesis::Stream')) {
      inventory.streams.push({ service, shards: Number(ShardCount) });
    }
    for (const [, properties] of resourcesOf(template, 'AWS::KinesisFirehose::DeliveryStream')) {
      inventory.deliveryStreams.push(deliveryStreamOf(service, properties));
    }
    for (const [, { Name, Source }] of resourcesOf(template, 'AWS::Pipes::Pipe')) {
      if (propertiesOf(template, Source as Reference)?.QueueName !== undefined) {
        inventory.pipes.push({ service, name: String(Name) });
      }
    }
    for (const [, mapping] of resourcesOf(template, 'AWS::Lambda::EventSourceMapping')) {
      addMapping(inventory, service, template, mapping as unknown as Mapping);
    }
  }
  return inventory;
}

function addMapping(
  { consumers, relays }: Pick<Inventory, 'consumers' | 'relays'>,
  service: string,
  template: Template,
  mapping: Mapping,
): void {
  const target = propertiesOf(template, mapping.FunctionName);
  const source = propertiesOf(template, mapping.EventSourceArn);
  const functionName = String(target?.FunctionName);
  if (source?.TableName !== undefined) {
    relays.push({ service, functionName, batchesPerShard: mapping.ParallelizationFactor ?? 1 });
  }
  // What is in a stream of Kinesis, of this template or another one, does not come from orders.
  if (source?.QueueName === undefined) return;
  const { Environment } = (target ?? {}) as { Environment?: { Variables?: Record<string, unknown> } };
  const { RedrivePolicy } = source as { RedrivePolicy?: { maxReceiveCount?: number } };
  consumers.push({
    service,
    functionName,
    queueName: String(source.QueueName),
    maximumConcurrency: mapping.ScalingConfig?.MaximumConcurrency,
    maxReceiveCount: RedrivePolicy?.maxReceiveCount ?? 1,
    maxRetryDelay: Number(Environment?.Variables?.MILLRACE_MAX_RETRY_DELAY ?? DEFAULT_RETRY_DELAY),
  });
}

function deliveryStreamOf(service: string, properties: Record<string, unknown>): DeliveryStream {
  const { DeliveryStreamName, ExtendedS3DestinationConfiguration: destination } = properties as {
    DeliveryStreamName: string;
    ExtendedS3DestinationConfiguration?: {
      BufferingHints?: { IntervalInSeconds?: number | string };
      DynamicPartitioningConfiguration?: { Enabled?: boolean | string };
    };
  };
  return {
    service,
    name: DeliveryStreamName,
    bufferSeconds: Number(destination?.BufferingHints?.IntervalInSeconds ?? DEFAULT_BUFFER_SECONDS),
    isPartitioned: String(destination?.DynamicPartitioningConfiguration?.Enabled) === 'true',
  };
}

/** Time limits of the tasks that wait for a token, in seconds. */
function waitsOf(definition: unknown): number[] {
  const { States } = definition as { States: Record<string, { Resource?: string; TimeoutSeconds?: number }> };
  return Object.values(States)
    .filter(({ Resource }) => Resource?.endsWith('.waitForTaskToken'))
    .map(({ TimeoutSeconds = 0 }) => TimeoutSeconds);
}

/** Each metric that an alarm watches is charged; an expression is not. */
function metricsOf(alarm: Record<string, unknown>): number {
  const { Metrics } = alarm as { Metrics?: { MetricStat?: unknown }[] };
  return Metrics ? Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length : 1;
}

function resourcesOf(template: Template, type: string): [string, Record<string, unknown>][] {
  return Object.entries(template.Resources ?? {})
    .filter(([, { Type }]) => Type === type)
    .map(([logicalId, { Properties = {} }]) => [logicalId, Properties as Record<string, unknown>]);
}

function propertiesOf(template: Template, reference: Reference): Record<string, unknown> | undefined {
  const logicalId = typeof reference === 'string' ? undefined : (reference.Ref ?? reference['Fn::GetAtt']?.[0]);
  const resource = logicalId === undefined ? undefined : template.Resources?.[logicalId];
  return resource?.Properties as Record<string, unknown> | undefined;
}
