import { randomUUID } from 'node:crypto';
import { EventFields, JsonObject, parseJson } from '@millrace/event-pattern';
import type { Caller } from '@millrace/iam-policy';
import { AwsError } from '../../core/aws-error.ts';
import { type Clock, SystemClock } from '../../core/clock.ts';
import type { DeliverOptions, Sender } from '../../core/delivery.ts';
import { isThisMachine, OutgoingError, type SendRequest } from '../../core/outgoing-http.ts';
import { ApiDestinations } from './api-destinations/api-destinations.ts';
import { Connections } from './api-destinations/connections.ts';
import { type InvocationOptions, Invocations } from './api-destinations/invocation.ts';
import { ArchiveStore } from './archive-store.ts';
import { Archives, type ArchivesOptions } from './archives.ts';
import { type BusEvent, createBusEvent } from './bus-event.ts';
import { Deliveries, type DeliveryOptions, exponentialBackoff } from './deliveries.ts';
import type { EventBus, Rule } from './event-bus.ts';
import { EventBuses } from './event-buses.ts';
import { readEventPattern } from './event-pattern.ts';
import { KeptResources } from './kept-resources.ts';
import { type ReadEntry, readPutEvents } from './put-events.ts';
import { authorizeEntry, type OnRefusal } from './put-events-authorization.ts';
import { type ReceivingOptions, receivedEvent } from './received-event.ts';
import { Replays } from './replays.ts';
import { type Input, requiredString } from './request-parameters.ts';
import { isApiDestination } from './rule-target.ts';
import { Rules } from './rules.ts';

export interface EventBridgeOptions {
  accountId: string;
  region: string;
  deliver: DeliveryOptions['deliver'];
  sendToDeadLetterQueue: DeliveryOptions['sendToDeadLetterQueue'];
  /** Told of events that are lost and of settings that have no effect here. */
  onWarning?: (message: string) => void;
  /** Everything here waits by it: the machine's clock unless given. */
  clock?: Clock;
  retryDelay?: DeliveryOptions['retryDelay'];
  /** Where archived events and replays are kept; without it they end with the process. */
  dataDirectory?: string | undefined;
  onArchived?: ArchivesOptions['onArchived'];
  onRefusal?: OnRefusal | undefined;
  /** Sends what goes to API destinations and to the authorization endpoints of connections; nothing is sent without it. */
  send?: SendRequest;
  /** Who delivers to a bus with a role. Without it, everything is allowed. @throws DeliveryError */
  callerOfSender?: (sender: Sender) => Caller;
}

type Run = (input: Input, caller: Caller | undefined, id?: string) => unknown;

/**
 * EventBridge (Classic): buses and their policies, rules with the full pattern language, targets with retries and
 * dead-letter queues, archives and replays. It knows no transport: `deliver` and `sendToDeadLetterQueue` carry the events out.
 */
export class EventBridge {
  readonly #options: ReceivingOptions;
  readonly #buses: EventBuses;
  readonly #rules: Rules;
  readonly #deliveries: Deliveries;
  readonly #archiveStore: ArchiveStore;
  readonly #replays: Replays;
  readonly #destinations: ApiDestinations;
  readonly #invocations: Invocations;
  /** Without a file nothing is kept. */
  readonly #kept: KeptResources | undefined;
  readonly #operations: ReadonlyMap<string, Run>;

  constructor(options: EventBridgeOptions) {
    const { accountId, region, deliver, sendToDeadLetterQueue } = options;
    const { onWarning = () => {}, clock = new SystemClock(), retryDelay = exponentialBackoff } = options;
    const now = () => clock.now();
    const { onRefusal, callerOfSender = () => anybody(accountId) } = options;
    this.#options = { accountId, region, now, onRefusal, callerOfSender };
    const store = new ArchiveStore(options.dataDirectory);
    this.#archiveStore = store;
    this.#deliveries = new Deliveries({
      ...{ deliver, sendToDeadLetterQueue, onWarning, clock, retryDelay },
      store: options.dataDirectory === undefined ? undefined : store,
    });
    const buses = new EventBuses({ accountId, region, now });
    this.#buses = buses;
    const onSchedule = (rule: Rule, time: number): void => {
      this.#run(rule, time).catch((error) => onWarning(`An event of the rule ${rule.name} is lost: ${error.message}`));
    };
    const rules = new Rules({ accountId, region, clock, onSchedule }, buses);
    this.#rules = rules;
    const archives = new Archives({ accountId, region, now, onArchived: options.onArchived }, buses, rules, store);
    const replays = new Replays(
      {
        ...{ accountId, region, now, warn: onWarning },
        publish: (bus, event, ruleArns) => this.#publish(bus, event, ruleArns),
      },
      buses,
      archives,
      store,
    );
    this.#replays = replays;
    const send = options.send ?? sendNothing;
    const connections = new Connections({ accountId, region, clock, send, isEndpoint });
    const destinations = new ApiDestinations({ accountId, region, now, isEndpoint }, connections);
    this.#destinations = destinations;
    this.#invocations = new Invocations(destinations, clock, send);
    const keepers = { buses, rules, archives, connections, destinations };
    if (options.dataDirectory !== undefined) this.#kept = new KeptResources(store, keepers, onWarning);
    this.#operations = new Map<string, Run>([
      ['PutEvents', (input, caller) => this.#putEvents(input, caller)],
      ['TestEventPattern', testEventPattern],
      ['CreateEventBus', (input) => buses.createEventBus(input)],
      ['DeleteEventBus', (input) => buses.deleteEventBus(input)],
      ['DescribeEventBus', (input) => buses.describeEventBus(input)],
      ['ListEventBuses', (input) => buses.listEventBuses(input)],
      ['PutPermission', (input) => buses.putPermission(input)],
      ['RemovePermission', (input) => buses.removePermission(input)],
      ['PutRule', (input) => rules.putRule(input)],
      ['DeleteRule', (input) => rules.deleteRule(input)],
      ['DescribeRule', (input) => rules.describeRule(input)],
      ['ListRules', (input) => rules.listRules(input)],
      ['EnableRule', (input) => rules.enableRule(input)],
      ['DisableRule', (input) => rules.disableRule(input)],
      ['PutTargets', (input) => rules.putTargets(input)],
      ['RemoveTargets', (input) => rules.removeTargets(input)],
      ['ListTargetsByRule', (input) => rules.listTargetsByRule(input)],
      ['ListRuleNamesByTarget', (input) => rules.listRuleNamesByTarget(input)],
      ['CreateConnection', (input, _caller, id) => connections.createConnection(input, id)],
      ['UpdateConnection', (input) => connections.updateConnection(input)],
      ['DeauthorizeConnection', (input) => connections.deauthorizeConnection(input)],
      ['DeleteConnection', (input) => connections.deleteConnection(input)],
      ['DescribeConnection', (input) => connections.describeConnection(input)],
      ['ListConnections', (input) => connections.listConnections(input)],
      ['CreateApiDestination', (input, _caller, id) => destinations.createApiDestination(input, id)],
      ['UpdateApiDestination', (input) => destinations.updateApiDestination(input)],
      ['DeleteApiDestination', (input) => destinations.deleteApiDestination(input)],
      ['DescribeApiDestination', (input) => destinations.describeApiDestination(input)],
      ['ListApiDestinations', (input) => destinations.listApiDestinations(input)],
      ['CreateArchive', (input) => archives.createArchive(input)],
      ['DeleteArchive', (input) => archives.deleteArchive(input)],
      ['DescribeArchive', (input) => archives.describeArchive(input)],
      ['ListArchives', (input) => archives.listArchives(input)],
      ['UpdateArchive', (input) => archives.updateArchive(input)],
      ['StartReplay', (input) => replays.startReplay(input)],
      ['CancelReplay', (input) => replays.cancelReplay(input)],
      ['DescribeReplay', (input) => replays.describeReplay(input)],
      ['ListReplays', (input) => replays.listReplays(input)],
    ]);
  }

  /** Has rules take patterns as long as an account with a raised quota takes them. */
  raisePatternQuota(): void {
    this.#rules.raisePatternQuota();
  }

  /**
   * Runs one operation of the AWS JSON 1.1 API, the header's `X-Amz-Target: AWSEvents.<operation>`.
   * PutEvents answers when the first delivery attempt to each matched target has ended; retries go on after it, and with a data
   * directory after a restart. It fails when a delivery can neither be made nor be kept for a retry.
   * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
   * @param caller whose policies, with the bus's, decide about PutEvents; without one, everything is allowed
   * @returns the response body
   * @throws AwsError
   */
  async handle(operation: string, input: Input, caller?: Caller): Promise<unknown> {
    const answer = await this.#operation(operation)(input, caller);
    if (!isReading.test(operation)) this.#kept?.save();
    return answer;
  }

  /**
   * Runs an operation for a resource of a template, which makes it again at each start.
   * @param id of a connection or an API destination, the last part of its ARN
   * @throws AwsError
   */
  async declare(operation: string, input: Input, id?: string): Promise<unknown> {
    const [kind, name] = declaredBy(operation, input);
    if (kind === 'bus' && this.#buses.find(name)) this.#buses.deleteEventBus({ Name: name });
    this.#kept?.declare(kind, name);
    return this.#operation(operation)(input, undefined, id);
  }

  /** Has those buses there that callers of the API have created before. */
  restoreBuses(): void {
    this.#kept?.restoreBuses();
  }

  /**
   * Has everything else there that callers of the API have created before, once the templates have made theirs, and goes on with
   * deliveries that waited for a retry.
   */
  restore(): void {
    this.#kept?.restore();
    this.#deliveries.resume();
  }

  #operation(name: string): Run {
    const run = this.#operations.get(name);
    if (run) return run;
    throw new AwsError('UnknownOperationException', `EventBridge ${name} is not available on this machine`);
  }

  /** True if an ARN is that of a bus or an API destination that is there. */
  isThere(arn: string): boolean {
    if (isApiDestination(arn)) return this.#destinations.find(arn) !== undefined;
    return arn.startsWith('arn:') && this.#buses.find(arn) !== undefined;
  }

  /**
   * Sends an event to an API destination, whose rate it may have to wait for.
   * @throws DeliveryError
   */
  invoke(apiDestinationArn: string, payload: string, options: InvocationOptions): Promise<string> {
    return this.#invocations.invoke(apiDestinationArn, payload, options);
  }

  /**
   * Takes an event that a rule of another bus, a service of AWS or a schedule delivers. Answers as PutEvents does.
   * @param busArn of a bus
   * @param payload the event as JSON
   * @throws DeliveryError; AwsError when the bus is not there
   */
  async receive(busArn: string, payload: string, options: DeliverOptions): Promise<void> {
    const bus = this.#buses.required(busArn);
    const receiving = { arn: bus.arn, isDefault: bus.name === 'default', policy: bus.policy?.compiled };
    await this.#publish(bus, receivedEvent(receiving, payload, options, this.#options));
  }

  /** Stops retrying and replaying. Without a data directory what was waiting for a retry is lost, and said so through onWarning. */
  async close(): Promise<void> {
    this.#rules.close();
    this.#invocations.close();
    this.#replays.close();
    this.#deliveries.close();
    this.#archiveStore.close();
  }

  async #putEvents(input: Input, caller: Caller | undefined): Promise<object> {
    const read = readPutEvents(input, this.#options);
    const entries = caller ? read.map((entry) => this.#authorize(entry, caller)) : read;
    await Promise.all(
      entries.map(async (entry) => {
        const bus = 'event' in entry ? this.#buses.find(entry.busNameOrArn) : undefined;
        // As at AWS, an event for a bus that is not there is accepted and goes nowhere.
        if (bus && 'event' in entry) await this.#publish(bus, entry.event);
      }),
    );
    return {
      FailedEntryCount: entries.filter((entry) => 'error' in entry).length,
      Entries: entries.map((entry) => ('event' in entry ? { EventId: entry.event.id } : entry.error)),
    };
  }

  #authorize(entry: ReadEntry, caller: Caller): ReadEntry {
    if ('error' in entry) return entry;
    const bus = this.#buses.find(entry.busNameOrArn);
    const busArn = this.#buses.arnOf(entry.busNameOrArn);
    const error = authorizeEntry(caller, entry, busArn, bus?.policy?.compiled, this.#options.onRefusal);
    return error ? { error } : entry;
  }

  /** Sends the event of a schedule to the rule's targets, and to no other rule. */
  async #run(rule: Rule, time: number): Promise<void> {
    const { accountId, region, now } = this.#options;
    const event = createBusEvent({
      id: randomUUID(),
      detailType: 'Scheduled Event',
      source: 'aws.events',
      account: accountId,
      time,
      region,
      resources: [rule.arn],
      detail: emptyDetail,
      detailText: '{}',
      ingestedAt: now(),
    });
    await Promise.all([...rule.targets.values()].map((target) => this.#deliveries.start(target, rule, event)));
  }

  /** @param ruleArns the rules that may get the event; all of them without it */
  async #publish(bus: EventBus, event: BusEvent, ruleArns?: ReadonlySet<string>): Promise<void> {
    const matching = [...bus.rules.values()].filter(
      ({ arn, state, pattern }) =>
        (!ruleArns || ruleArns.has(arn)) && state !== 'DISABLED' && pattern?.matches(event.fields),
    );
    await Promise.all(
      matching.flatMap((rule) => [
        rule.archive?.record(event),
        ...[...rule.targets.values()].map((target) => this.#deliveries.start(target, rule, event)),
      ]),
    );
  }
}

const sendNothing: SendRequest = () => Promise.reject(new OutgoingError('forbidden', 'Nothing is sent from here'));

/** True for a URL that requests may go to: over HTTPS, or on this machine. */
function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isThisMachine(url));
}

const emptyDetail = new JsonObject([], '{}');

/** Operations after which there is nothing new to keep. */
const isReading = /^(Describe|List|Test|PutEvents|StartReplay|CancelReplay)/;

/** Which resource of a template an operation is about. A rule has the name of its bus before its own. */
function declaredBy(
  operation: string,
  input: Input,
): ['bus' | 'policy' | 'rule' | 'archive' | 'connection' | 'destination', string] {
  const bus = String(input.EventBusName ?? 'default');
  const busName = bus.slice(bus.lastIndexOf('/') + 1);
  switch (operation) {
    case 'CreateEventBus':
      return ['bus', String(input.Name)];
    case 'PutPermission':
      return ['policy', busName];
    case 'CreateArchive':
      return ['archive', String(input.ArchiveName)];
    case 'CreateConnection':
      return ['connection', String(input.Name)];
    case 'CreateApiDestination':
      return ['destination', String(input.Name)];
    default:
      return ['rule', `${busName}/${input.Name ?? input.Rule}`];
  }
}

/** A caller that may do everything. */
function anybody(accountId: string): Caller {
  const arn = `arn:aws:iam::${accountId}:root`;
  return { arn, principalArn: arn, accountId, identityPolicies: undefined };
}

const requiredEventFields = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html */
function testEventPattern(input: Input): object {
  const pattern = readEventPattern(requiredString(input, 'EventPattern'));
  const event = parseEvent(requiredString(input, 'Event'));
  const missing = requiredEventFields.filter((name) => event.get(name) === undefined);
  if (missing.length > 0) throw eventNotValid(`Missing required fields: ${missing.join(', ')}`);
  return { Result: pattern.matches(new EventFields(event)) };
}

function parseEvent(text: string): JsonObject {
  let event: unknown;
  try {
    event = parseJson(text);
  } catch (error) {
    throw eventNotValid(error instanceof Error ? error.message : String(error));
  }
  if (!(event instanceof JsonObject)) throw eventNotValid('Event must be a JSON object');
  return event;
}

function eventNotValid(reason: string): AwsError {
  return new AwsError('ValidationException', `Parameter Event is not valid. Reason: ${reason}.`);
}
