import type { EventPattern } from '@millrace/event-pattern';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import { isRuleSchedule } from '../../core/schedules/schedule-expression.ts';
import type { BusEvent } from './bus-event.ts';
import { type BusPolicy, policyAfterPut, policyAfterRemoval } from './bus-policy.ts';
import { readEventPattern } from './event-pattern.ts';
import { page } from './page.ts';
import { type Input, optionalString, requiredList, requiredString, structure } from './request-parameters.ts';
import { type CompiledTarget, compileTarget, type RuleTarget } from './rule-target.ts';

/** An event bus with its rules by name. */
export interface EventBus {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly rules: Map<string, Rule>;
  policy: BusPolicy | undefined;
}

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly busName: string;
  state: RuleState;
  readonly eventPattern: string | undefined;
  readonly pattern: EventPattern | undefined;
  readonly scheduleExpression: string | undefined;
  readonly description: string | undefined;
  readonly roleArn: string | undefined;
  /** By target id. */
  readonly targets: Map<string, CompiledTarget>;
  /** Of a rule that belongs to an archive, and can be changed through that only. */
  readonly archive?: { readonly record: (event: BusEvent) => void };
}

export type RuleState = (typeof ruleStates)[number];

const ruleStates = ['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'] as const;

/** The service that manages the rules of archives. */
const archivesService = 'prod.vhs.events.aws.internal';

const defaultBusName = 'default';
const busNameOrArn = { maximumLength: eventBridgeLimits.busNameOrArnLength, pattern: /^[/.\-_A-Za-z0-9:]+$/ };
const ruleName = { maximumLength: eventBridgeLimits.ruleNameLength, pattern: /^[.\-_A-Za-z0-9]+$/ };

/**
 * The buses, rules and targets of one account and region, in memory, and the operations that manage them. Each operation takes
 * the input of the AWS operation of its name and returns its output.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
 */
export class EventBuses {
  readonly #accountId: string;
  readonly #region: string;
  readonly #now: () => number;
  readonly #onWarning: (message: string) => void;
  readonly #buses = new Map<string, EventBus>();
  #patternLength: number = eventBridgeLimits.patternLength;

  constructor(options: { accountId: string; region: string; now: () => number; onWarning: (message: string) => void }) {
    this.#accountId = options.accountId;
    this.#region = options.region;
    this.#now = options.now;
    this.#onWarning = options.onWarning;
    this.#addBus(defaultBusName, undefined);
  }

  /** The bus of that name or ARN, if it is there. */
  find(nameOrArn: string): EventBus | undefined {
    const bus = this.#buses.get(nameOrArn.slice(nameOrArn.indexOf('/') + 1));
    return bus && (nameOrArn === bus.name || nameOrArn === bus.arn) ? bus : undefined;
  }

  /**
   * The bus of that ARN.
   * @throws AwsError ResourceNotFoundException
   */
  required(arn: string): EventBus {
    const bus = arn.startsWith('arn:') ? this.find(arn) : undefined;
    if (bus) return bus;
    throw new AwsError('ResourceNotFoundException', `Event bus ${arn.slice(arn.lastIndexOf('/') + 1)} does not exist.`);
  }

  /** The ARN of the bus of that name or ARN, whether it is there or not. */
  arnOf(nameOrArn: string): string {
    return nameOrArn.startsWith('arn:') ? nameOrArn : this.#arn(`event-bus/${nameOrArn}`);
  }

  /** As if the account's quota for the length of patterns had been raised as far as AWS does. */
  raisePatternQuota(): void {
    this.#patternLength = eventBridgeLimits.raisedPatternLength;
  }

  createEventBus(input: Input): object {
    const name = requiredString(input, 'Name', {
      maximumLength: eventBridgeLimits.busNameLength,
      pattern: /^[.\-_A-Za-z0-9]+$/,
    });
    if (this.#buses.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    }
    const { arn, description } = this.#addBus(name, optionalString(input, 'Description', { maximumLength: 512 }));
    return { EventBusArn: arn, Description: description };
  }

  deleteEventBus(input: Input): object {
    const name = requiredString(input, 'Name', { maximumLength: eventBridgeLimits.busNameLength });
    if (name === defaultBusName) throw invalid('Cannot delete event bus default.');
    if ((this.#buses.get(name)?.rules.size ?? 0) > 0) throw invalid(`Cannot delete event bus ${name}: it has rules.`);
    this.#buses.delete(name);
    return {};
  }

  describeEventBus(input: Input): object {
    return describeBus(this.#bus(optionalString(input, 'Name', busNameOrArn)));
  }

  listEventBuses(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', { maximumLength: eventBridgeLimits.busNameLength }) ?? '';
    const buses = [...this.#buses.values()].filter(({ name }) => name.startsWith(prefix));
    const { items, next } = page(buses, ({ name }) => name, input);
    return { EventBuses: items.map(describeBus), ...next };
  }

  putPermission(input: Input): object {
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    bus.policy = policyAfterPut(bus.policy, input, bus.arn);
    return {};
  }

  removePermission(input: Input): object {
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    bus.policy = policyAfterRemoval(bus.policy, input);
    return {};
  }

  putRule(input: Input): object {
    const name = requiredString(input, 'Name', ruleName);
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    const eventPattern = optionalString(input, 'EventPattern', {
      maximumLength: eventBridgeLimits.raisedPatternLength,
    });
    if ((eventPattern?.length ?? 0) > this.#patternLength) {
      throw new AwsError(
        'LimitExceededException',
        `The pattern is longer than the quota of ${this.#patternLength} characters.`,
      );
    }
    const scheduleExpression = optionalString(input, 'ScheduleExpression', { maximumLength: 256 });
    if (eventPattern === undefined && scheduleExpression === undefined) {
      throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
    }
    if (scheduleExpression !== undefined && bus.name !== defaultBusName) {
      throw invalid('ScheduleExpression is supported only on the default event bus.');
    }
    if (scheduleExpression !== undefined && !isRuleSchedule(scheduleExpression)) {
      throw invalid('Parameter ScheduleExpression is not valid.');
    }
    const existing = bus.rules.get(name);
    if (existing) checkNotManaged(existing);
    if (!existing && bus.rules.size >= eventBridgeLimits.rulesPerBus) throw limitExceeded();
    const rule: Rule = {
      name,
      arn: this.#ruleArn(bus, name),
      busName: bus.name,
      state: readState(optionalString(input, 'State')),
      eventPattern,
      pattern: eventPattern === undefined ? undefined : readEventPattern(eventPattern),
      scheduleExpression,
      description: optionalString(input, 'Description', { maximumLength: 512 }),
      roleArn: optionalString(input, 'RoleArn', { maximumLength: 1600 }),
      targets: existing?.targets ?? new Map(),
    };
    bus.rules.set(name, rule);
    if (scheduleExpression !== undefined) {
      this.#onWarning(`Rule ${name} has the schedule ${scheduleExpression}: schedules do not run locally.`);
    }
    return { RuleArn: rule.arn };
  }

  deleteRule(input: Input): object {
    const name = requiredString(input, 'Name', ruleName);
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    const rule = bus.rules.get(name);
    if (rule) checkNotManaged(rule);
    if ((rule?.targets.size ?? 0) > 0) throw invalid("Rule can't be deleted since it has targets.");
    bus.rules.delete(name);
    return {};
  }

  describeRule(input: Input): object {
    return describeRule(this.#rule(input, 'Name'));
  }

  enableRule(input: Input): object {
    checkNotManaged(this.#rule(input, 'Name')).state = 'ENABLED';
    return {};
  }

  disableRule(input: Input): object {
    checkNotManaged(this.#rule(input, 'Name')).state = 'DISABLED';
    return {};
  }

  listRules(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', ruleName) ?? '';
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    const rules = [...bus.rules.values()].filter(({ name }) => name.startsWith(prefix));
    const { items, next } = page(rules, ({ name }) => name, input);
    return { Rules: items.map(describeRule), ...next };
  }

  listRuleNamesByTarget(input: Input): object {
    const arn = requiredString(input, 'TargetArn', { maximumLength: 1600 });
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    const rules = [...bus.rules.values()].filter(({ targets }) =>
      [...targets.values()].some(({ target }) => target.Arn === arn),
    );
    const { items, next } = page(rules, ({ name }) => name, input);
    return { RuleNames: items.map(({ name }) => name), ...next };
  }

  putTargets(input: Input): object {
    const rule = checkNotManaged(this.#rule(input, 'Rule'));
    const compiled = requiredList(input, 'Targets', 100).map((entry) => compileTarget(structure(entry, 'Targets')));
    for (const { target } of compiled) this.#checkPlace(target);
    const ids = new Set([...rule.targets.keys(), ...compiled.map(({ target }) => target.Id)]);
    if (ids.size > eventBridgeLimits.targetsPerRule) throw limitExceeded();
    for (const one of compiled) rule.targets.set(one.target.Id, one);
    return { FailedEntryCount: 0, FailedEntries: [] };
  }

  removeTargets(input: Input): object {
    const rule = checkNotManaged(this.#rule(input, 'Rule'));
    const failed = requiredList(input, 'Ids', 100)
      .map(String)
      .filter((id) => !rule.targets.delete(id))
      .map((id) => ({
        TargetId: id,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `Rule ${rule.name} does not have a target with the Id ${id}.`,
      }));
    return { FailedEntryCount: failed.length, FailedEntries: failed };
  }

  listTargetsByRule(input: Input): object {
    const { items, next } = page(this.#rule(input, 'Rule').targets.values(), ({ target }) => target.Id, input);
    return { Targets: items.map(({ target }) => target), ...next };
  }

  /**
   * Puts the rule of an archive on its bus, in the place of the one it had.
   * @throws AwsError LimitExceededException for a bus that has all the rules it can have.
   */
  putArchiveRule(bus: EventBus, archiveName: string, eventPattern: string, record: (event: BusEvent) => void): void {
    const name = archiveRuleName(archiveName);
    if (!bus.rules.has(name) && bus.rules.size >= eventBridgeLimits.rulesPerBus) throw limitExceeded();
    bus.rules.set(name, {
      name,
      arn: this.#ruleArn(bus, name),
      busName: bus.name,
      state: 'ENABLED',
      eventPattern,
      pattern: readEventPattern(eventPattern),
      scheduleExpression: undefined,
      description: undefined,
      roleArn: undefined,
      targets: new Map(),
      archive: { record },
    });
  }

  removeArchiveRule(bus: EventBus, archiveName: string): void {
    bus.rules.delete(archiveRuleName(archiveName));
  }

  /** Buses and API destinations are found on this machine alone. */
  #checkPlace({ Id, Arn }: RuleTarget): void {
    const [, , service, region, account] = Arn.split(':');
    if (service !== 'events' || (region === this.#region && account === this.#accountId)) return;
    throw invalid(`Target ${Id} is in another account or Region, which is not available on this machine: ${Arn}`);
  }

  #addBus(name: string, description: string | undefined): EventBus {
    const bus: EventBus = {
      name,
      arn: this.#arn(`event-bus/${name}`),
      description,
      createdAt: this.#now(),
      rules: new Map(),
      policy: undefined,
    };
    this.#buses.set(name, bus);
    return bus;
  }

  #bus(nameOrArn: string = defaultBusName): EventBus {
    const bus = this.find(nameOrArn);
    if (!bus) throw new AwsError('ResourceNotFoundException', `Event bus ${nameOrArn} does not exist.`);
    return bus;
  }

  #rule(input: Input, parameter: 'Name' | 'Rule'): Rule {
    const name = requiredString(input, parameter, ruleName);
    const bus = this.#bus(optionalString(input, 'EventBusName', busNameOrArn));
    const rule = bus.rules.get(name);
    if (!rule) {
      throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus.name}.`);
    }
    return rule;
  }

  #ruleArn(bus: EventBus, name: string): string {
    return this.#arn(bus.name === defaultBusName ? `rule/${name}` : `rule/${bus.name}/${name}`);
  }

  #arn(resource: string): string {
    return `arn:aws:events:${this.#region}:${this.#accountId}:${resource}`;
  }
}

function describeBus({ name, arn, description, policy, createdAt }: EventBus): object {
  const seconds = createdAt / 1000;
  return {
    Name: name,
    Arn: arn,
    Description: description,
    Policy: policy?.text,
    CreationTime: seconds,
    LastModifiedTime: seconds,
  };
}

function describeRule(rule: Rule): object {
  return {
    Name: rule.name,
    Arn: rule.arn,
    EventPattern: rule.eventPattern,
    ScheduleExpression: rule.scheduleExpression,
    State: rule.state,
    Description: rule.description,
    RoleArn: rule.roleArn,
    EventBusName: rule.busName,
    ManagedBy: rule.archive && archivesService,
  };
}

function archiveRuleName(archiveName: string): string {
  return `Events-Archive-${archiveName}`;
}

function checkNotManaged(rule: Rule): Rule {
  if (!rule.archive) return rule;
  throw new AwsError(
    'ManagedRuleException',
    `Rule ${rule.name} is managed by ${archivesService} and can't be modified.`,
  );
}

function readState(state = 'ENABLED'): RuleState {
  const known = ruleStates.find((one) => one === state);
  if (!known) throw invalid(`Parameter State is not valid. Reason: must be one of ${ruleStates.join(', ')}.`);
  return known;
}

function limitExceeded(): AwsError {
  return new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
