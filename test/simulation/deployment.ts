import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/workspace/catalogue';
import { parse } from 'yaml';
import { type ConsumeOptions, consumerSettings } from '../../libs/serverless-consumers/src/consume-options.ts';
import { consumerEnvironment } from '../../libs/serverless-consumers/src/consumer.ts';
import { consumerNames } from '../../libs/serverless-consumers/src/names.ts';

const STAGE = 'dev';
export const DOMAIN_BUS = `millrace-${STAGE}`;
export const ANALYTICS_BUS = `${DOMAIN_BUS}-analytics`;
const ACCOUNT = '000000000000';
/** Seconds; that of osls when a template names no other. */
const DEFAULT_TIMEOUT = 6;

/** A consumer's queue and what reads it, as its line of YAML says. */
export interface ConsumerDefinition {
  /** `inventory.onOrderPlaced` */
  consumer: string;
  /** The name of the bus of its rule. */
  bus: string;
  detailTypes: readonly string[];
  /** Of the event's detail. */
  filter?: object;
  queue: string;
  deadLetterQueue: string;
  batchSize: number;
  maximumConcurrency: number;
  maxReceiveCount: number;
  /** Seconds. */
  visibilityTimeout: number;
  /** What the plugin adds to the function's variables. */
  environment: Record<string, string>;
}

export interface FunctionDefinition {
  /** `orders.postOrder` */
  name: string;
  service: string;
  /** File of the handler. */
  file: string;
  /** Seconds. */
  timeout: number;
  environment: Record<string, string>;
  consumer?: ConsumerDefinition;
  /** How often it runs by itself. */
  rateMs?: number;
  /** The table whose stream it reads. */
  streamOf?: string;
  /** The event patterns of its stream's filter. */
  route?: string;
}

/** What the templates of the services deploy, as far as the simulation runs it. */
export interface Deployment {
  root: string;
  functions: FunctionDefinition[];
  /** Inputs of CreateTable, with the attribute of Time to Live. */
  tables: { input: Record<string, unknown>; timeToLive: string | undefined }[];
}

interface Template {
  service: string;
  provider: { timeout?: number };
  functions?: Record<
    string,
    {
      handler: string;
      timeout?: number;
      environment?: Record<string, unknown>;
      events?: {
        consume?: ConsumeOptions;
        httpApi?: { method: string; path: string };
        stream?: Record<string, unknown>;
        schedule?: { rate: string[] };
      }[];
      schedules?: string[];
    }
  >;
  resources?:
    | { Resources?: Record<string, { Type: string; Properties: Record<string, unknown> }> }[]
    | { Resources?: never };
}

/** Reads the templates. @throws Error for something in them that the simulation does not understand */
export function readDeployment(): Deployment {
  const root = findWorkspaceRoot(import.meta.dirname);
  const deployment: Deployment = { root, functions: [], tables: [] };
  for (const folder of serviceDirectories(root)) {
    const template = readTemplate(join(folder, 'serverless.yml'), root);
    const tableNames = readTables(template, deployment);
    for (const [key, definition] of Object.entries(template.functions ?? {})) {
      // No visitor looks at pages in a history, so there is nothing in the stream.
      if ([definition.events ?? []].flat().some(({ consume }) => consume && 'stream' in consume)) continue;
      deployment.functions.push(readFunction(template, key, definition, { folder, tableNames }));
    }
  }
  return deployment;
}

function readFunction(
  template: Template,
  key: string,
  definition: NonNullable<Template['functions']>[string],
  { folder, tableNames }: { folder: string; tableNames: ReadonlyMap<string, string> },
): FunctionDefinition {
  const service = basename(folder);
  const name = `${service}.${key}`;
  const timeout = definition.timeout ?? template.provider.timeout ?? DEFAULT_TIMEOUT;
  const events = Array.isArray(definition.events) ? definition.events : [];
  const consume = events.find((event) => event.consume)?.consume;
  const route = events.find((event) => event.httpApi)?.httpApi;
  const schedule = events.find((event) => event.schedule)?.schedule;
  const environment: Record<string, string> = {
    MILLRACE_STAGE: STAGE,
    MILLRACE_EVENT_BUS: DOMAIN_BUS,
    MILLRACE_ANALYTICS_BUS: ANALYTICS_BUS,
    MILLRACE_PSEUDONYM_KEY_ARN: `arn:aws:kms:us-east-1:${ACCOUNT}:key/pseudonyms`,
    MILLRACE_PARKING_QUEUE_URL: queueUrl(`millrace-re-emitter-${STAGE}-parking`),
  };
  for (const [variable, value] of Object.entries(definition.environment ?? {})) {
    const reference = (value as { Ref?: string } | null)?.Ref;
    environment[variable] = reference === undefined ? String(value) : (tableNames.get(reference) ?? reference);
  }
  if (definition.schedules) {
    for (const name of ['GROUP', 'ROLE_ARN', 'BUS_ARN', 'DLQ_ARN']) environment[`MILLRACE_SCHEDULE_${name}`] = name;
  }
  const consumer = consume && readConsumer(template, name, key, timeout, consume);
  Object.assign(environment, consumer?.environment);
  const [file = ''] = definition.handler.split('.handler');
  const streamOf = events.some((event) => event.stream) ? tableNames.get('Table') : undefined;
  return {
    name,
    service,
    file: join(folder, `${file}.ts`),
    timeout,
    environment,
    ...(consumer && { consumer }),
    ...(streamOf !== undefined && { streamOf }),
    ...(route && { route: `${route.method} ${route.path}` }),
    ...(schedule !== undefined && { rateMs: readRate(schedule.rate[0]) }),
  };
}

/** @throws Error for an expression that the simulation does not understand */
function readRate(expression = ''): number {
  const [, count] = /^rate\((\d+) minutes?\)$/.exec(expression) ?? [];
  if (count === undefined) throw new Error(`The simulation does not understand ${expression}`);
  return Number(count) * 60_000;
}

function readConsumer(
  { service }: Template,
  consumer: string,
  key: string,
  functionTimeout: number,
  consume: ConsumeOptions,
): ConsumerDefinition {
  const settings = consumerSettings(consume, { key, functionTimeout, consumer, deadLetterRetention: 604_800 });
  const { queue, deadLetterQueue } = consumerNames(service, STAGE, key, settings.fifo);
  const queues: Record<string, string> = { Queue: queueUrl(queue), DeadLetterQueue: queueUrl(deadLetterQueue) };
  const variables = consumerEnvironment({ id: '', name: consumer, settings } as Parameters<
    typeof consumerEnvironment
  >[0]);
  const environment = Object.fromEntries(
    Object.entries(variables).map(([variable, value]) => {
      const reference = (value as { Ref?: string }).Ref;
      return [variable, reference === undefined ? String(value) : (queues[reference] ?? reference)];
    }),
  );
  const { batchSize, maximumConcurrency, maxReceiveCount, visibilityTimeout, events: detailTypes, filter } = settings;
  return {
    consumer,
    bus: settings.bus === 'analytics' ? ANALYTICS_BUS : DOMAIN_BUS,
    detailTypes,
    ...(filter && { filter }),
    queue,
    deadLetterQueue,
    batchSize,
    maximumConcurrency,
    maxReceiveCount,
    visibilityTimeout,
    environment,
  };
}

/** @returns the physical name of each table of the template by its logical id */
function readTables({ resources }: Template, { tables }: Deployment): Map<string, string> {
  const names = new Map<string, string>();
  for (const part of [resources ?? []].flat()) {
    for (const [id, { Type, Properties }] of Object.entries(part?.Resources ?? {}) as [
      string,
      { Type: string; Properties: Record<string, unknown> },
    ][]) {
      if (Type !== 'AWS::DynamoDB::Table') continue;
      const { StreamSpecification, TimeToLiveSpecification, DeletionProtectionEnabled: _, ...input } = Properties;
      names.set(id, String(Properties.TableName));
      tables.push({
        input: {
          ...input,
          ...(StreamSpecification !== undefined && {
            StreamSpecification: { StreamEnabled: true, ...(StreamSpecification as object) },
          }),
        },
        timeToLive: (TimeToLiveSpecification as { AttributeName?: string } | undefined)?.AttributeName,
      });
    }
  }
  return names;
}

/** A serverless.yml with what it takes from other files, and with the values of the stage. */
function readTemplate(file: string, root: string): Template {
  const stages = parseYaml(join(root, 'serverless.stages.yml'))[STAGE] as Record<string, unknown>;
  const service = String((parseYaml(file) as { service?: string }).service);
  const values: Record<string, unknown> = { 'self:service': service, 'sls:stage': STAGE };
  for (const [name, value] of Object.entries(stages)) values[`param:${name}`] = value;
  const resolve = (node: unknown): unknown => {
    if (typeof node === 'string') return resolveText(node);
    if (Array.isArray(node)) return node.map(resolve);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value)]));
  };
  const resolveText = (text: string): unknown => {
    const [, path, member] = /^\$\{file\(([^()]+)\)(?::(\w+))?\}$/.exec(text) ?? [];
    if (path !== undefined) {
      const included = join(dirname(file), String(resolveText(path)));
      // As osls: other files than YAML and JSON, for example queries, are text.
      if (!/\.(yml|yaml|json)$/.test(included)) return readFileSync(included, 'utf8');
      const content = parseYaml(included);
      return resolve(member === undefined ? content : content[member]);
    }
    const [, whole] = /^\$\{([^{}]+)\}$/.exec(text) ?? [];
    if (whole !== undefined && whole in values) return values[whole];
    return text.replace(/\$\{([^{}]+)\}/g, (reference, name) => String(values[name] ?? reference));
  };
  const template = resolve(parseYaml(file)) as Template;
  // As osls: a list of mappings is one mapping.
  return Array.isArray(template.functions)
    ? { ...template, functions: Object.assign({}, ...template.functions) }
    : template;
}

function parseYaml(file: string): Record<string, unknown> {
  // CloudFormation's `!Ref X` becomes `{ Ref: X }`; of other short tags the simulation needs nothing.
  const ref = { tag: '!Ref', resolve: (name: string) => ({ Ref: name }) };
  return parse(readFileSync(file, 'utf8'), { logLevel: 'error', merge: true, customTags: [ref] as never });
}

/** The URL of a queue of the simulated SQS. */
export function queueUrl(name: string): string {
  return `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/${name}`;
}

/** The ARN of a queue of the simulated SQS. */
export function queueArn(name: string): string {
  return `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
}
