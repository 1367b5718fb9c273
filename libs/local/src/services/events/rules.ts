import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { parseRuleSchedule, type Schedule } from '../../core/schedules/schedule-expression.ts';
import type { BusEvent } from './bus-event.ts';
import { busNameOrArn, defaultBusName, type EventBus, type Rule, type RuleState, ruleStates } from './event-bus.ts';
import type { EventBuses } from './event-buses.ts';
import { readEventPattern } from './event-pattern.ts';
import { page } from './page.ts';
import { type Input, optionalString, requiredList, requiredString, structure } from './request-parameters.ts';
import { RuleSchedules } from './rule-schedules.ts';
import { compileTarget, type RuleTarget } from './rule-target.ts';

/** The service that manages the rules of archives. */
const archivesService = 'prod.vhs.events.aws.internal';

const ruleName = { maximumLength: eventBridgeLimits.ruleNameLength, pattern: /^[.\-_A-Za-z0-9]+$/ };

/** A rule, as it is kept. */
export interface KeptRule {
  readonly busName: string;
  readonly name: string;
  /** Of PutRule. */
  readonly input: Input;
  readonly targets: readonly RuleTarget[];
  readonly scheduledFrom: number;
}

export interface RulesOptions {
  accountId: string;
  region: string;
  clock: Pick<Clock, 'now' | 'setTimer'>;
  /** A rule's schedule is due. */
  onSchedule: (rule: Rule, time: number) => void;
}

/** The rules and targets of buses, and the operations that manage them, as those of `EventBuses`. */
export class Rules {
  readonly #accountId: string;
  readonly #region: string;
  readonly #clock: RulesOptions['clock'];
  readonly #buses: EventBuses;
  readonly #schedules: RuleSchedules;
  #patternLength: number = eventBridgeLimits.patternLength;

  constructor({ accountId, region, clock, onSchedule }: RulesOptions, buses: EventBuses) {
    this.#accountId = accountId;
    this.#region = region;
    this.#clock = clock;
    this.#buses = buses;
    this.#schedules = new RuleSchedules(clock, onSchedule);
  }

  /** As if the account's quota for the length of patterns had been raised as far as AWS does. */
  raisePatternQuota(): void {
    this.#patternLength = eventBridgeLimits.raisedPatternLength;
  }

  /** What makes the rules again, but for those of archives. */
  kept(): KeptRule[] {
    const rules = this.#buses.all().flatMap(({ rules: ofBus }) => [...ofBus.values()]);
    return rules
      .filter(({ archive }) => !archive)
      .map((rule) => ({
        busName: rule.busName,
        name: rule.name,
        input: {
          Name: rule.name,
          EventBusName: rule.busName,
          State: rule.state,
          EventPattern: rule.eventPattern,
          ScheduleExpression: rule.scheduleExpression,
          Description: rule.description,
          RoleArn: rule.roleArn,
        },
        targets: [...rule.targets.values()].map(({ target }) => target),
        scheduledFrom: rule.scheduledFrom,
      }));
  }

  /**
   * Makes a rule again.
   * @throws AwsError
   */
  restore({ busName, name, input, targets, scheduledFrom }: KeptRule): void {
    this.putRule(input, scheduledFrom);
    if (targets.length > 0) this.putTargets({ EventBusName: busName, Rule: name, Targets: targets });
  }

  /** Ends the schedules. */
  close(): void {
    this.#schedules.close();
  }

  /** @param scheduledFrom when a rule that is made again got its schedule */
  putRule(input: Input, scheduledFrom?: number): object {
    const name = requiredString(input, 'Name', ruleName);
    const bus = this.#buses.named(optionalString(input, 'EventBusName', busNameOrArn));
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
    const existing = bus.rules.get(name);
    if (existing) checkNotManaged(existing);
    if (!existing && bus.rules.size >= eventBridgeLimits.rulesPerBus) throw limitExceeded();
    const hasSameSchedule = existing !== undefined && existing.scheduleExpression === scheduleExpression;
    const rule: Rule = {
      name,
      arn: this.#ruleArn(bus, name),
      busName: bus.name,
      state: readState(optionalString(input, 'State')),
      eventPattern,
      pattern: eventPattern === undefined ? undefined : readEventPattern(eventPattern),
      scheduleExpression,
      schedule: scheduleExpression === undefined ? undefined : readSchedule(scheduleExpression),
      scheduledFrom: scheduledFrom ?? (hasSameSchedule ? existing.scheduledFrom : this.#clock.now()),
      description: optionalString(input, 'Description', { maximumLength: 512 }),
      roleArn: optionalString(input, 'RoleArn', { maximumLength: 1600 }),
      targets: existing?.targets ?? new Map(),
    };
    bus.rules.set(name, rule);
    this.#schedules.set(rule);
    return { RuleArn: rule.arn };
  }

  deleteRule(input: Input): object {
    const name = requiredString(input, 'Name', ruleName);
    const bus = this.#buses.named(optionalString(input, 'EventBusName', busNameOrArn));
    const rule = bus.rules.get(name);
    if (rule) checkNotManaged(rule);
    if ((rule?.targets.size ?? 0) > 0) throw invalid("Rule can't be deleted since it has targets.");
    bus.rules.delete(name);
    if (rule) this.#schedules.remove(rule);
    return {};
  }

  describeRule(input: Input): object {
    return describeRule(this.#rule(input, 'Name'));
  }

  enableRule(input: Input): object {
    return this.#setState(input, 'ENABLED');
  }

  disableRule(input: Input): object {
    return this.#setState(input, 'DISABLED');
  }

  listRules(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', ruleName) ?? '';
    const bus = this.#buses.named(optionalString(input, 'EventBusName', busNameOrArn));
    const rules = [...bus.rules.values()].filter(({ name }) => name.startsWith(prefix));
    const { items, next } = page(rules, ({ name }) => name, input);
    return { Rules: items.map(describeRule), ...next };
  }

  listRuleNamesByTarget(input: Input): object {
    const arn = requiredString(input, 'TargetArn', { maximumLength: 1600 });
    const bus = this.#buses.named(optionalString(input, 'EventBusName', busNameOrArn));
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
  putArchiveRule(
    bus: EventBus,
    archiveName: string,
    eventPattern: string,
    record: (event: BusEvent) => Promise<void>,
  ): void {
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
      schedule: undefined,
      scheduledFrom: this.#clock.now(),
      description: undefined,
      roleArn: undefined,
      targets: new Map(),
      archive: { record },
    });
  }

  removeArchiveRule(bus: EventBus, archiveName: string): void {
    bus.rules.delete(archiveRuleName(archiveName));
  }

  #setState(input: Input, state: RuleState): object {
    const rule = checkNotManaged(this.#rule(input, 'Name'));
    rule.state = state;
    this.#schedules.set(rule);
    return {};
  }

  /** Buses and API destinations are found on this machine alone. */
  #checkPlace({ Id, Arn }: RuleTarget): void {
    const [, , service, region, account] = Arn.split(':');
    if (service !== 'events' || (region === this.#region && account === this.#accountId)) return;
    throw invalid(`Target ${Id} is in another account or Region, which is not available on this machine: ${Arn}`);
  }

  #rule(input: Input, parameter: 'Name' | 'Rule'): Rule {
    const name = requiredString(input, parameter, ruleName);
    const bus = this.#buses.named(optionalString(input, 'EventBusName', busNameOrArn));
    const rule = bus.rules.get(name);
    if (!rule) {
      throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus.name}.`);
    }
    return rule;
  }

  #ruleArn(bus: EventBus, name: string): string {
    const resource = bus.name === defaultBusName ? `rule/${name}` : `rule/${bus.name}/${name}`;
    return `arn:aws:events:${this.#region}:${this.#accountId}:${resource}`;
  }
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

function readSchedule(expression: string): Schedule {
  try {
    return parseRuleSchedule(expression);
  } catch {
    // AWS says no more.
    throw invalid('Parameter ScheduleExpression is not valid.');
  }
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
