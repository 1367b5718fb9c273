import { ConfigurationError } from './configuration-error.ts';
import { type ConsumeOptions, checkKind, consumerSettings, readsStream } from './consume-options.ts';
import { consumerEnvironment, consumerResources } from './consumer.ts';
import type { Consumer } from './consumer-definition.ts';
import { type KnownEvent, needsPseudonyms, resolveEvents, successorOf } from './event-names.ts';
import { functionRole } from './function-role.ts';
import {
  checkConsumerNames,
  checkFunctionName,
  checkQueueName,
  checkRoleName,
  checkScheduleNames,
  checkStage,
  consumerNames,
  functionResourceName,
  shortServiceName,
} from './names.ts';
import type { CfnResource, FunctionConfiguration, Osls } from './osls.ts';
import { type Platform, pseudonymKeyOf, readPlatform } from './platform.ts';
import {
  type SchedulingFunction,
  scheduleDeadLetterQueueName,
  scheduleEnvironment,
  scheduleResources,
} from './schedule-resources.ts';
import {
  type StreamConsumer,
  streamConsumerEnvironment,
  streamConsumerResources,
  streamDeadLetterQueueName,
} from './stream-consumer.ts';
import { type ConsumeStreamOptions, streamSettings } from './stream-options.ts';

/** What the plugin adds to one function and, for it, to the template. */
export interface FunctionPlan {
  key: string;
  configuration: FunctionConfiguration;
  consumer?: Consumer;
  streamConsumer?: StreamConsumer;
  /** The events it may put on the bus, in the order of its `emits`. */
  emits: KnownEvent[];
  /** The events that schedules it makes put on the bus, in the order of its `schedules`. */
  schedules: KnownEvent[];
  /** Logical id of the role, unless the function brings its own. */
  role?: string;
  environment: Record<string, unknown>;
  resources: Record<string, CfnResource>;
}

/** The time limit of a function that sets none, in seconds: osls's default. */
const defaultTimeout = 6;

/**
 * Checks every function of the service and works out what to add, without changing anything.
 * @throws ConfigurationError for the first mistake
 */
export function planService(serverless: Osls, known: ReadonlyMap<string, KnownEvent>): FunctionPlan[] {
  const { service } = serverless;
  const keys = service.getAllFunctions();
  if (keys.length === 0) return [];
  const platform = readPlatform(service.custom?.consumers);
  checkStage(serverless.getProvider('aws').getStage(), 'provider.stage');
  for (const stage of platform.stages) checkStage(stage, 'custom.consumers.stages');
  const plans = keys.map((key) => planFunction(serverless, key, platform, known));
  checkVersions(plans);
  return plans;
}

/** Of two versions of one fact with ids of their own, consumers would handle both. */
function checkVersions(plans: readonly FunctionPlan[]): void {
  const emitted = plans.flatMap(({ emits }) => emits);
  for (const { key, emits } of plans) {
    emits.forEach((event, index) => {
      const successor = successorOf(event, emitted);
      if (!successor) return;
      const problem =
        `${event.detailType} may not be emitted beside ${successor.detailType}, which upcasts it: every fact would be handled ` +
        'twice. Emit the older one until its consumers have moved, then the newer one alone';
      throw new ConfigurationError('CONSUMERS_REPLACED_EVENT', `functions.${key}.emits[${index}]`, problem);
    });
  }
}

function planFunction(
  serverless: Osls,
  key: string,
  platform: Platform,
  known: ReadonlyMap<string, KnownEvent>,
): FunctionPlan {
  const { service } = serverless;
  const provider = serverless.getProvider('aws');
  const configuration = service.getFunction(key);
  const path = `functions.${key}`;
  const shortName = shortServiceName(service.service);

  for (const stage of stagesToCheck(serverless, platform)) {
    checkFunctionName(configuration.name.replace(`-${provider.getStage()}-`, `-${stage}-`), stage, path);
  }

  const consume = soleConsume(configuration, path);
  const consumer = consume?.queue && planConsumer(serverless, key, consume.queue, platform, known);
  const streamConsumer = consume?.stream && planStreamConsumer(serverless, key, consume.stream, platform);
  const ownEvents = (list: 'emits' | 'schedules'): KnownEvent[] => {
    const events = resolveEvents(configuration[list] ?? [], `${path}.${list}`, known);
    events.forEach((event, index) => {
      if (event.service === shortName) return;
      const problem = `${event.detailType} belongs to ${event.service}: ${shortName} may not emit it`;
      throw new ConfigurationError('CONSUMERS_FOREIGN_EVENT', `${path}.${list}[${index}]`, problem);
    });
    return events;
  };
  const emits = ownEvents('emits');
  const schedules = ownEvents('schedules');
  schedules.forEach(({ detailType, analytics }, index) => {
    if (!analytics) return;
    const problem = `${detailType} declares analytics, but only relays make variants, and a schedule puts it on the bus itself`;
    throw new ConfigurationError('CONSUMERS_NO_VARIANT', `${path}.schedules[${index}]`, problem);
  });
  const pseudonymKeyArn = needsPseudonyms(emits) ? pseudonymKeyOf(platform) : undefined;
  const scheduling = schedules.length > 0 ? planSchedules(serverless, key, schedules, platform) : undefined;

  const environment = {
    ...(consumer && consumerEnvironment(consumer)),
    ...(streamConsumer && streamConsumerEnvironment(streamConsumer)),
    ...(emits.length > 0 && { MILLRACE_EVENT_BUS: platform.eventBusName }),
    ...(emits.some(({ analytics }) => analytics) && { MILLRACE_ANALYTICS_BUS: platform.analyticsBusName }),
    ...(pseudonymKeyArn !== undefined && { MILLRACE_PSEUDONYM_KEY_ARN: pseudonymKeyArn }),
    ...(scheduling && scheduleEnvironment(scheduling)),
  };
  const resources = {
    ...(consumer && consumerResources(consumer)),
    ...(streamConsumer && streamConsumerResources(streamConsumer)),
    ...(scheduling && scheduleResources(scheduling)),
  };
  const plan: FunctionPlan = {
    ...{ key, configuration, emits, schedules, environment, resources },
    ...(consumer && { consumer }),
    ...(streamConsumer && { streamConsumer }),
  };

  if (configuration.role !== undefined) {
    const derived = consume ? 'consume' : emits.length > 0 ? 'emits' : scheduling ? 'schedules' : 'iamRoleStatements';
    if (!consume && emits.length === 0 && !scheduling && !configuration.iamRoleStatements) return plan;
    const problem = `cannot be combined with ${derived}, which derives a role of its own: remove one of them`;
    throw new ConfigurationError('CONSUMERS_ROLE_CONFLICT', `${path}.role`, problem);
  }

  const role = `${provider.naming.getNormalizedFunctionName(key)}Role`;
  if (emits.length > 0) {
    for (const stage of stagesToCheck(serverless, platform)) {
      checkRoleName(`${service.service}-${stage}`, role, stage, path);
    }
  }
  resources[role] = functionRole({
    key: path,
    configuration,
    logGroupName: provider.naming.getLogGroupName(configuration.name),
    traced: Boolean(configuration.tracing ?? service.provider.tracing?.lambda),
    ...(consumer && { consumer }),
    ...(streamConsumer && { streamConsumer }),
    emits,
    ...(scheduling && { scheduling }),
    eventBusArn: platform.eventBusArn,
    analyticsBusArn: platform.analyticsBusArn,
    ...(pseudonymKeyArn !== undefined && { pseudonymKeyArn }),
  });
  return { ...plan, role };
}

function planSchedules(
  serverless: Osls,
  functionKey: string,
  events: readonly KnownEvent[],
  platform: Platform,
): SchedulingFunction {
  const { service } = serverless;
  const provider = serverless.getProvider('aws');
  const id = provider.naming.getNormalizedFunctionName(functionKey);
  const key = `functions.${functionKey}`;
  for (const stage of stagesToCheck(serverless, platform)) {
    const name = functionResourceName(service.service, stage, functionKey);
    checkScheduleNames(name, scheduleDeadLetterQueueName(name), stage, `${key}.schedules`);
    checkRoleName(`${service.service}-${stage}`, `${id}ScheduleRole`, stage, `${key}.schedules`);
  }
  const name = functionResourceName(service.service, provider.getStage(), functionKey);
  return { id, key, name, events, platform };
}

/** Options with their place. */
interface Placed<Options> {
  options: Options;
  path: string;
}

/** The one `consume` of a function, of a queue or of a stream, if it has any. */
function soleConsume(
  configuration: FunctionConfiguration,
  path: string,
): { queue?: Placed<ConsumeOptions>; stream?: Placed<ConsumeStreamOptions> } | undefined {
  const [first, second] = (configuration.events ?? []).flatMap(({ consume }, index) =>
    consume ? [{ options: consume, path: `${path}.events[${index}].consume` }] : [],
  );
  if (second) {
    const problem = 'a function has one queue, so one consume: list all events in it, or write a second function';
    throw new ConfigurationError('CONSUMERS_SEVERAL_CONSUMES', second.path, problem);
  }
  if (!first) return undefined;
  checkKind(first.options, first.path);
  const { options } = first;
  return readsStream(options) ? { stream: { ...first, options } } : { queue: { ...first, options } };
}

function planConsumer(
  serverless: Osls,
  functionKey: string,
  { options, path }: Placed<ConsumeOptions>,
  platform: Platform,
  known: ReadonlyMap<string, KnownEvent>,
): Consumer {
  const { service } = serverless;
  const provider = serverless.getProvider('aws');
  const name = `${shortServiceName(service.service)}.${functionKey}`;
  const functionTimeout = service.getFunction(functionKey).timeout ?? service.provider.timeout ?? defaultTimeout;
  const { deadLetterRetention } = platform;
  const settings = consumerSettings(options, { key: path, functionTimeout, consumer: name, deadLetterRetention });
  for (const stage of stagesToCheck(serverless, platform)) {
    checkConsumerNames(consumerNames(service.service, stage, functionKey, settings.fifo), stage, path);
  }
  const listed = resolveEvents(settings.events, `${path}.events`, known);
  const events = settings.bus === 'analytics' ? variantsOf(listed, `${path}.events`) : listed;
  events.forEach((event, index) => {
    const successor = successorOf(event, events);
    if (!successor) return;
    const problem = `${successor.detailType} stands for ${event.detailType} too: leave the older one out`;
    throw new ConfigurationError('CONSUMERS_REPLACED_EVENT', `${path}.events[${index}]`, problem);
  });
  return {
    id: provider.naming.getNormalizedFunctionName(functionKey),
    functionId: provider.naming.getLambdaLogicalId(functionKey),
    key: path,
    name,
    names: consumerNames(service.service, provider.getStage(), functionKey, settings.fifo),
    settings,
    events,
    platform,
  };
}

function planStreamConsumer(
  serverless: Osls,
  functionKey: string,
  { options, path }: Placed<ConsumeStreamOptions>,
  platform: Platform,
): StreamConsumer {
  const { service } = serverless;
  const provider = serverless.getProvider('aws');
  for (const stage of stagesToCheck(serverless, platform)) {
    checkQueueName(streamDeadLetterQueueName(service.service, stage, functionKey), stage, path);
  }
  return {
    id: provider.naming.getNormalizedFunctionName(functionKey),
    functionId: provider.naming.getLambdaLogicalId(functionKey),
    key: path,
    name: `${shortServiceName(service.service)}.${functionKey}`,
    functionName: service.getFunction(functionKey).name,
    base: functionResourceName(service.service, provider.getStage(), functionKey),
    settings: streamSettings(options, { key: path, deadLetterRetention: platform.deadLetterRetention }),
    platform,
  };
}

/** @throws ConfigurationError for an event whose contract lets nothing leave */
function variantsOf(events: readonly KnownEvent[], key: string): KnownEvent[] {
  return events.map(({ detailType, analytics }, index) => {
    if (analytics) return analytics;
    const problem = `${detailType} is not on the analytics bus: its contract declares no analytics`;
    throw new ConfigurationError('CONSUMERS_NO_VARIANT', `${key}[${index}]`, problem);
  });
}

function stagesToCheck(serverless: Osls, { stages }: Platform): string[] {
  return [...new Set([serverless.getProvider('aws').getStage(), ...stages])];
}
