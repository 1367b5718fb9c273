import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { loadStacks, type Stack } from '@millrace/cloudformation';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { type PackagedService, packageServices } from '@millrace/workspace/packaging';
import { countApiCall, countHttpRequest } from './core/api-usage.ts';
import { Authorizer } from './core/authorizer.ts';
import { AwsError } from './core/aws-error.ts';
import { lockDataDirectory } from './core/data-directory.ts';
import { deliverToTarget, sendToQueue } from './core/delivery.ts';
import { deployStack, unsupportedResources } from './core/deploy.ts';
import { provideFolder } from './core/folders.ts';
import { createGuardedServer } from './core/guarded-server.ts';
import { LocalIdentities } from './core/identities.ts';
import { Messages } from './core/messages.ts';
import { LOOPBACK, listenOnLoopback } from './core/port.ts';
import { Refusals, type RefusedAccess } from './core/refusals.ts';
import { ResourcePolicies } from './core/resource-policies.ts';
import { RESOURCE_TYPES } from './core/resource-types.ts';
import type { Usage } from './core/usage.ts';
import { createGateway, type GatewayBackends } from './gateway/gateway.ts';
import { answerCloudFormation } from './services/cloudformation/api.ts';
import type { AlarmChange } from './services/cloudwatch/alarm-notification.ts';
import { Alarms } from './services/cloudwatch/alarms.ts';
import { ObservedMetrics } from './services/cloudwatch/observed-metrics.ts';
import { QueueMetrics } from './services/cloudwatch/queue-metrics.ts';
import { startDynamoDbFront } from './services/dynamodb/front.ts';
import { type DynamoDb, startDynamoDb } from './services/dynamodb/process.ts';
import { DynamoDbProxy } from './services/dynamodb/proxy.ts';
import { countDynamoDb, type DynamoDbExchange } from './services/dynamodb/usage.ts';
import { EventBridge } from './services/events/index.ts';
import { countDelivery, countPutEvents } from './services/events/usage.ts';
import { type Fauxqs, startFauxqs } from './services/fauxqs/fauxqs.ts';
import { countSentMessage } from './services/fauxqs/queue-usage.ts';
import { startHttpApi } from './services/http-api/http-api.ts';
import { issuerOf, jwtAuthorizersOf } from './services/http-api/jwt-authorizer.ts';
import { Issuer } from './services/issuer/issuer.ts';
import { provideSigningKey } from './services/issuer/signing-key.ts';
import { handleLambdaRequest } from './services/lambda/api.ts';
import { openCheckpoints } from './services/lambda/checkpoint-store.ts';
import type { FunctionLogLine } from './services/lambda/function-pool.ts';
import { Functions } from './services/lambda/functions.ts';
import { countLogLine } from './services/lambda/log-usage.ts';
import type { Checkpoints } from './services/lambda/stream-shard.ts';
import { SsmApi } from './services/ssm/api.ts';

export interface RuntimeOptions {
  /** Directories of services of one workspace, each with a serverless.yml. */
  services: string[];
  /** `dev` unless given. */
  stage?: string;
  /** `us-east-1` unless given. */
  region?: string;
  /** Port of the HTTP APIs; 0 for any free one. */
  apiPort: number;
  /** Port of the AWS APIs; 0 for any free one. */
  awsPort: number;
  /** Where tables, queues and messages are kept across restarts; without one they end with the runtime. */
  dataDirectory?: string | undefined;
  /** Where packages and compiled code are cached; `.millrace/cache` of the workspace unless given. */
  cacheDirectory?: string | undefined;
  /** A DynamoDB to use instead of starting one. */
  dynamodbEndpoint?: string | undefined;
  /** Containers that each function may have at once; as many as there are cores, and at least two, unless given. */
  functionConcurrency?: number | undefined;
  /** Starts no function before its first call, as on AWS; otherwise each gets a container ahead. */
  coldFunctions?: boolean | undefined;
  /** Replaces the period of every CloudWatch alarm, in seconds. */
  alarmPeriod?: number | undefined;
  /** Counts what the functions use, as AWS would bill it; nothing is counted, and nothing takes longer, without one. */
  usage?: Usage | undefined;
  /** What the start is doing. */
  onProgress?: (line: string) => void;
  /** Something that works differently than the templates say, something that is not allowed, or an event that is lost. */
  onWarning?: (line: string) => void;
  /** What stands in the functions' log groups: what they write, and what Lambda says about errors, timeouts and exits. */
  onFunctionLog?: (line: FunctionLogLine) => void;
  /** A CloudWatch alarm has changed its state. */
  onAlarm?: (change: AlarmChange) => void;
  /** The runtime cannot go on, e.g. DynamoDB has ended. It is not stopped yet. */
  onFailure?: (reason: string) => void;
}

/** The services, running on this machine. */
export interface Runtime {
  /** Origin of all services' HTTP APIs. */
  apiUrl: string;
  /** Origin of the AWS APIs. */
  awsUrl: string;
  /** Where `requestToken` gets tokens for the HTTP APIs. */
  issuerUrl: string;
  /** E-mails and SMS that functions have sent. */
  messages: Messages;
  /** Everything that onWarning has been told during the start. */
  warnings: readonly string[];
  functionNames: readonly string[];
  /** What functions, and services for the resources of the templates, were not allowed to do since the start. */
  refusals: () => readonly RefusedAccess[];
  /**
   * What a function may do, statement by statement, and a way to take one away for a while: for tests of roles. Nothing on
   * the ports leads here.
   */
  identities: Pick<LocalIdentities, 'statementsOf' | 'withhold'>;
  /** Resolves when every function has a container that is ready; at once with `coldFunctions`. */
  warm: Promise<void>;
  /** Ends everything that was started. May be called more than once. */
  stop(): Promise<void>;
}

const ACCOUNT_ID = '000000000000';

/**
 * Packages services and runs their compiled templates on this machine.
 *
 * @throws Error with one line that says what is wrong; whatever had been started is ended again
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const started = new Started();
  try {
    return await start(options, started);
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/** What has been started, to be stopped in reverse. */
class Started {
  readonly #stops: Array<() => Promise<unknown> | unknown> = [];
  #stopping: Promise<void> | undefined;

  add(stop: () => Promise<unknown> | unknown): void {
    this.#stops.push(stop);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop();
  }
}

async function start(options: RuntimeOptions, started: Started): Promise<Runtime> {
  const { stage = 'dev', region = 'us-east-1', usage, onProgress, onFunctionLog } = options;
  const directories = options.services.map((directory) => resolve(directory));
  const [anyDirectory] = directories;
  if (anyDirectory === undefined) throw new Error('There are no services to start');
  const cacheDirectory = resolve(options.cacheDirectory ?? join(findWorkspaceRoot(anyDirectory), '.millrace', 'cache'));
  const dataDirectory = options.dataDirectory === undefined ? undefined : resolve(options.dataDirectory);
  const warnings: string[] = [];
  const warn = (line: string): void => {
    warnings.push(line);
    options.onWarning?.(line);
  };

  provideFolder('cache', cacheDirectory);
  if (dataDirectory !== undefined) started.add(lockDataDirectory(dataDirectory));
  const reservation = await reservePort(options.apiPort);
  started.add(() => reservation.release());

  // The port decides queue URLs, so it is taken before anything stands behind it.
  const backends = Promise.withResolvers<GatewayBackends>();
  backends.promise.catch(() => undefined);
  started.add(() => backends.reject(new AwsError('ServiceUnavailable', 'The runtime has stopped', 503)));
  const gateway = createGateway(backends.promise);
  const awsUrl = `http://${LOOPBACK}:${await listenOnLoopback(gateway, options.awsPort)}`;
  started.add(() => closeServer(gateway));

  const [services, dynamodb, fauxqs, signingKey] = await settleAll([
    packageServices({
      directories,
      stage,
      region,
      cacheDirectory: join(cacheDirectory, 'packages'),
      log: (line) => onProgress?.(line),
    }),
    startTables(options, dataDirectory, started),
    startQueues({ awsUrl, region, dataDirectory }, started),
    provideSigningKey(dataDirectory),
  ]);

  for (const warning of new Set(services.flatMap((service) => service.warnings))) warn(warning);
  const { stacks, ssmParameters } = loadStacks(services, {
    accountId: ACCOUNT_ID,
    region,
    awsUrl,
    resourceTypes: RESOURCE_TYPES,
  });
  for (const warning of stacks.flatMap(unsupportedResources)) warn(warning);
  const httpApis = stacks.map((stack) => ({ name: stack.name, resources: httpResourcesOf(stack) }));
  const issuerUrl = `${awsUrl}/_local/issuer`;
  const issuer = new Issuer({
    key: signingKey,
    url: issuerUrl,
    ...(issuerOf(httpApis.flatMap(({ name, resources }) => jwtAuthorizersOf(name, resources))) ?? {
      issuer: issuerUrl,
      audiences: [],
    }),
  });

  onProgress?.('Creating resources');
  const events = new EventBridge({
    accountId: ACCOUNT_ID,
    region,
    onWarning: warn,
    deliver: (target, payload, { ruleArn, traceHeader }) => {
      if (usage) countDelivery(usage, ruleArn, target.Arn, payload);
      return deliverToTarget({ fauxqs, invokeFunction, refusal: refusalOf(ruleArn) }, target, payload, traceHeader);
    },
    sendToDeadLetterQueue: (queueArn, body, attributes, { ruleArn, traceHeader }) => {
      if (usage) countSentMessage(usage, queueArn, body);
      return sendToQueue(fauxqs, queueArn, body, { attributes, traceHeader, refusal: refusalOf(ruleArn) });
    },
    onRefusal: (caller, access, refusal) => authorizer.report(caller, access, refusal),
    onArchived: usage && ((archive, text) => usage.add('events.archivedBytes', archive, Buffer.byteLength(text))),
    archivePath: dataDirectory === undefined ? undefined : join(dataDirectory, 'archives.db'),
  });
  started.add(() => events.close());
  for (const stack of stacks)
    await deployStack(stack, { fauxqs, dynamodb: { endpoint: dynamodb.endpoint, region }, events });

  const identities = new LocalIdentities(stacks, { accountId: ACCOUNT_ID });
  const refusals = new Refusals((line) => options.onWarning?.(line));
  const policies = new ResourcePolicies((arn) => fauxqs.policyOf(arn));
  const authorizer = new Authorizer({
    identities,
    accountId: ACCOUNT_ID,
    region,
    policyOf: (arn) => policies.of(arn),
    refusals,
  });
  const proxy = new DynamoDbProxy(dynamodb.endpoint);
  started.add(() => proxy.close());
  // Only the gateway counts, and makes signatures fit for a DynamoDB that is not the runtime's own.
  const needsGateway = usage !== undefined || options.dynamodbEndpoint !== undefined;
  const dynamodbUrl = needsGateway ? awsUrl : await startFront(dynamodb.endpoint, authorizer, gateway, started);
  const observed = new ObservedMetrics();
  const functions = new Functions({
    stacks,
    codeDirectories: codeDirectoriesOf(services),
    endpoints: {
      AWS_ENDPOINT_URL: awsUrl,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
      AWS_ENDPOINT_URL_DYNAMODB_STREAMS: dynamodbUrl,
    },
    concurrency: options.functionConcurrency ?? Math.max(2, availableParallelism()),
    compileCacheDirectory: join(cacheDirectory, 'compiled'),
    region,
    fauxqs,
    dynamodbEndpoint: dynamodb.endpoint,
    checkpoints: keepCheckpoints(dataDirectory, started),
    authorizeRole: (functionName, access) => authorizer.authorizeRole(functionName, access),
    metrics: observed,
    usage,
    onLog: (line) => {
      if (usage) countLogLine(usage, line);
      onFunctionLog?.(line);
    },
    mayLog: (functionName) => authorizer.mayLog(functionName),
    onWarning: warn,
  });
  started.add(() => functions.stop());
  const ssm = new SsmApi(ssmParameters, { accountId: ACCOUNT_ID, region });
  const messages = new Messages();
  const queueMetrics = new QueueMetrics(fauxqs.store);
  const alarms = new Alarms({
    resources: stacks.flatMap(alarmsOf),
    accountId: ACCOUNT_ID,
    region,
    periodSeconds: options.alarmPeriod,
    read: (queueName, metric, now) => queueMetrics.read(queueName, metric, now),
    observed,
    publish: async (TopicArn, notification, alarmArn) => {
      const access = { action: 'sns:Publish', resource: TopicArn };
      const refusal = authorizer.findServiceRefusal('cloudwatch.amazonaws.com', alarmArn, access);
      if (refusal) throw new AwsError('AuthorizationError', refusal.message, 403);
      await fauxqs.sns('Publish', { TopicArn, ...notification });
    },
    onChange: (change) => options.onAlarm?.(change),
    onWarning: warn,
  });
  started.add(() => alarms.stop());
  const functionNames = [...functions.pools.keys()];
  backends.resolve({
    fauxqs,
    dynamodb: proxy,
    dynamodbCounter: usage && counterOf(usage, stacks, functionCalling),
    // After a function's own writes, the end of its invocation wakes them.
    onDynamoDbWrite: (accessKeyId) => {
      if (functionCalling(accessKeyId) === undefined) functions.wakeStreams();
    },
    authorize: (accessKeyId, call) => authorizer.authorize(accessKeyId, call),
    events: async (operation, input, { accessKeyId }) => {
      const output = await events.handle(operation, input, identities.callerOf(accessKeyId));
      const caller = usage && operation === 'PutEvents' ? functionCalling(accessKeyId) : undefined;
      if (usage && caller !== undefined) countPutEvents(usage, caller, input, output);
      return output;
    },
    onCall:
      usage &&
      ((call) => {
        const caller = functionCalling(call.accessKeyId);
        if (caller !== undefined) countApiCall(usage, caller, call);
      }),
    ssm: (operation, input) => ssm.handle(operation, input),
    cloudFormation: (parameters) => answerCloudFormation(stacks, parameters),
    lambda: async (request) => {
      try {
        return await handleLambdaRequest(request, {
          functions: functions.pools,
          mappings: functions.mappings,
          onAsyncFailure,
        });
      } finally {
        functions.wakeStreams();
      }
    },
    messages,
    alarms: () => alarms.list(),
    refusals: () => refusals.list(),
    issuer: (request) => issuer.answer(request),
    health: () => ({ status: 'ok', functions: functionNames }),
  });

  await reservation.release();
  const api = await startHttpApi({
    port: options.apiPort,
    accountId: ACCOUNT_ID,
    services: httpApis,
    verificationKeys: issuer.keys,
    invoke: async (functionArn, payload) => {
      const pool = functions.find(functionArn);
      if (!pool) throw new Error(`There is no function ${functionArn}`);
      const result = await functions.invoke(pool, payload);
      if (usage) countHttpRequest(usage, pool.definition.name, payload, result.payload);
      return result;
    },
    onWarning: warn,
  });
  started.add(() => api.stop());
  alarms.start();

  return {
    apiUrl: api.url,
    awsUrl,
    issuerUrl,
    messages,
    warnings,
    functionNames,
    refusals: () => refusals.list(),
    identities,
    warm: options.coldFunctions ? Promise.resolve() : functions.warm(),
    stop: () => started.stop(),
  };

  /** Why EventBridge may not do something for a rule. */
  function refusalOf(ruleArn: string): (access: { action: string; resource: string }) => string | undefined {
    return (access) => authorizer.findServiceRefusal('events.amazonaws.com', ruleArn, access)?.message;
  }

  /** What operators do is no part of what the system uses. */
  function functionCalling(accessKeyId: string | undefined): string | undefined {
    return accessKeyId !== undefined && functions.pools.has(accessKeyId) ? accessKeyId : undefined;
  }

  function onAsyncFailure(functionName: string): void {
    warn(`${functionName} failed on an asynchronous event; AWS would try twice more, this machine does not`);
  }

  function invokeFunction(functionArn: string, payload: string): Promise<void> | undefined {
    const pool = functions.find(functionArn);
    if (!pool) return undefined;
    const failed = (): void => onAsyncFailure(pool.definition.name);
    functions.invoke(pool, payload).then(({ functionError }) => functionError && failed(), failed);
    // As with Lambda's asynchronous invocation, the event counts as delivered once it has been accepted.
    return Promise.resolve();
  }
}

/** Waits for all; when one fails, still for the others, so that whatever they have started is known when it is stopped. */
async function settleAll<T extends readonly unknown[]>(
  promises: {
    [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return Promise.all(promises) as unknown as Promise<T>;
}

async function startTables(
  { dynamodbEndpoint, onFailure }: RuntimeOptions,
  dataDirectory: string | undefined,
  started: Started,
): Promise<Pick<DynamoDb, 'endpoint'>> {
  if (dynamodbEndpoint !== undefined) return { endpoint: dynamodbEndpoint };
  const dynamodb = await startDynamoDb({ dataDirectory, onExit: (reason) => onFailure?.(reason) });
  started.add(dynamodb.stop);
  return dynamodb;
}

/** @returns the URL of what functions reach DynamoDB through */
async function startFront(
  endpoint: string,
  authorizer: Authorizer,
  gateway: Server,
  started: Started,
): Promise<string> {
  const front = await startDynamoDbFront({
    endpoint,
    gateway,
    allows: ({ accessKeyId, operation, body }) => {
      try {
        return authorizer.allows(accessKeyId, { service: 'dynamodb', operation, input: JSON.parse(body.toString()) });
      } catch {
        // What cannot be read is the gateway's to answer.
        return false;
      }
    },
  });
  started.add(front.stop);
  return front.url;
}

/** Counts what functions ask of DynamoDB. */
function counterOf(
  usage: Usage,
  stacks: Stack[],
  functionCalling: (accessKeyId: string | undefined) => string | undefined,
): GatewayBackends['dynamodbCounter'] {
  const keys = new Map(
    stacks
      .flatMap((stack) => stack.resourcesOfType('AWS::DynamoDB::Table').map((table) => ({ stack, ...table })))
      .map(({ stack, logicalId, name }) => {
        const { KeySchema } = stack.properties(logicalId) as {
          KeySchema: { AttributeName: string; KeyType: string }[];
        };
        return [name, KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName];
      }),
  );
  const count = (exchange: DynamoDbExchange): void => countDynamoDb(usage, exchange, (table) => keys.get(table));
  return (accessKeyId) => (functionCalling(accessKeyId) === undefined ? undefined : count);
}

async function startQueues(options: Parameters<typeof startFauxqs>[0], started: Started): Promise<Fauxqs> {
  const fauxqs = await startFauxqs(options);
  started.add(fauxqs.stop);
  return fauxqs;
}

/** Keeps a port from others, so that a taken one is reported at once and not after everything else has started. */
async function reservePort(port: number): Promise<{ release: () => Promise<void> }> {
  const server = createGuardedServer((_request, response) => response.writeHead(503).end('Starting\n'));
  await listenOnLoopback(server, port);
  return { release: () => closeServer(server) };
}

function httpResourcesOf(stack: Stack) {
  return stack
    .resources()
    .filter(({ type }) => type.startsWith('AWS::ApiGatewayV2::'))
    .map(({ type, logicalId }) => ({
      type,
      logicalId,
      physicalId: stack.ref(logicalId),
      properties: stack.properties(logicalId),
    }));
}

function alarmsOf(stack: Stack) {
  return stack.resourcesOfType('AWS::CloudWatch::Alarm').map(({ logicalId, name }) => ({
    name,
    arn: stack.attribute(logicalId, 'Arn'),
    properties: stack.properties(logicalId),
  }));
}

function keepCheckpoints(dataDirectory: string | undefined, started: Started): Checkpoints | undefined {
  if (dataDirectory === undefined) return undefined;
  const { checkpoints, close } = openCheckpoints(dataDirectory);
  started.add(close);
  return checkpoints;
}

function codeDirectoriesOf(services: PackagedService[]): Map<string, string> {
  return new Map(
    services.flatMap(({ functions }) =>
      [...functions].map(([name, { codeDirectory }]) => [name, codeDirectory] as const),
    ),
  );
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
