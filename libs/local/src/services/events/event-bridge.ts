import { randomUUID } from 'node:crypto';
import { EventFields, JsonObject, parseJson } from '@millrace/event-pattern';
import type { Caller } from '@millrace/iam-policy';
import { AwsError } from '../../core/aws-error.ts';
import { type Clock, SystemClock } from '../../core/clock.ts';
import type { DeliverOptions, Sender } from '../../core/delivery.ts';
import { ArchiveStore } from './archive-store.ts';
import { Archives, type ArchivesOptions } from './archives.ts';
import { type BusEvent, createBusEvent } from './bus-event.ts';
import { Deliveries, type DeliveryOptions, exponentialBackoff } from './deliveries.ts';
import { type EventBus, EventBuses } from './event-buses.ts';
import { readEventPattern } from './event-pattern.ts';
import { type ReadEntry, readPutEvents } from './put-events.ts';
import { authorizeEntry, type OnRefusal } from './put-events-authorization.ts';
import { type ReceivingOptions, receivedEvent } from './received-event.ts';
import { Replays } from './replays.ts';
import { type Input, requiredString } from './request-parameters.ts';
import { type Rule, Rules } from './rules.ts';

export interface EventBridgeOptions {
  accountId: string;
  region: string;
  deliver: DeliveryOptions['deliver'];
  sendToDeadLetterQueue: DeliveryOptions['sendToDeadLetterQueue'];
  /** Told of events that are lost and of settings that have no effect here. */
  onWarning?: (message: string) => void;
  /** Everything here waits by it: the machine's clock unless given. */
  clock?: Pick<Clock, 'now' | 'setTimer'>;
  retryDelay?: DeliveryOptions['retryDelay'];
  /** The file that archived events and replays are kept in; without one they end with the process. */
  archivePath?: string | undefined;
  onArchived?: ArchivesOptions['onArchived'];
  onRefusal?: OnRefusal | undefined;
  /** Who delivers to a bus with a role. Without it, everything is allowed. @throws DeliveryError */
  callerOfSender?: (sender: Sender) => Caller;
}

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
  readonly #operations: ReadonlyMap<string, (input: Input, caller: Caller | undefined) => unknown>;

  constructor(options: EventBridgeOptions) {
    const { accountId, region, deliver, sendToDeadLetterQueue } = options;
    const { onWarning = () => {}, clock = new SystemClock(), retryDelay = exponentialBackoff } = options;
    const now = () => clock.now();
    const { onRefusal, callerOfSender = () => anybody(accountId) } = options;
    this.#options = { accountId, region, now, onRefusal, callerOfSender };
    this.#deliveries = new Deliveries({ deliver, sendToDeadLetterQueue, onWarning, clock, retryDelay });
    const buses = new EventBuses({ accountId, region, now });
    this.#buses = buses;
    const onSchedule = (rule: Rule, time: number) => void this.#run(rule, time);
    const rules = new Rules({ accountId, region, clock, onSchedule }, buses);
    this.#rules = rules;
    const store = new ArchiveStore(options.archivePath);
    this.#archiveStore = store;
    const archives = new Archives({ accountId, region, now, onArchived: options.onArchived }, buses, rules, store);
    const replays = new Replays(
      { accountId, region, now, publish: (bus, event, ruleArns) => this.#publish(bus, event, ruleArns) },
      buses,
      archives,
      store,
    );
    this.#replays = replays;
    this.#operations = new Map<string, (input: Input, caller: Caller | undefined) => unknown>([
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
   * PutEvents answers when the first delivery attempt to each matched target has ended; retries go on after it.
   * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
   * @param caller whose policies, with the bus's, decide about PutEvents; without one, everything is allowed
   * @returns the response body
   * @throws AwsError
   */
  async handle(operation: string, input: Input, caller?: Caller): Promise<unknown> {
    const run = this.#operations.get(operation);
    if (!run) throw new AwsError('UnknownOperationException', `Operation ${operation} is not known here.`);
    return run(input, caller);
  }

  /** True if an ARN is that of a bus that is there. */
  isThere(arn: string): boolean {
    return arn.startsWith('arn:') && this.#buses.find(arn) !== undefined;
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

  /** Stops retrying and replaying; what was waiting for a retry is lost, and said so through onWarning. */
  async close(): Promise<void> {
    this.#rules.close();
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
      matching.flatMap((rule) => {
        rule.archive?.record(event);
        return [...rule.targets.values()].map((target) => this.#deliveries.start(target, rule, event));
      }),
    );
  }
}

const emptyDetail = new JsonObject([], '{}');

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
