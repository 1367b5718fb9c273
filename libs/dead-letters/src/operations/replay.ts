import { setTimeout as delay } from 'node:timers/promises';
import {
  CancelReplayCommand,
  DescribeArchiveCommand,
  DescribeEventBusCommand,
  DescribeReplayCommand,
  type EventBridgeClient,
  ListArchivesCommand,
  ListRulesCommand,
  ResourceNotFoundException,
  StartReplayCommand,
} from '@aws-sdk/client-eventbridge';
import { similarNames, UsageError } from '@millrace/command-line';
import { compilePattern } from '@millrace/event-pattern';
import type { EventContract } from '@millrace/events';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import { consumerKey, consumerOfRule } from './consumer-name.ts';

/** Between two questions how far a replay is. In ms. */
const POLL_EVERY = 1_000;

/** What is to be replayed. */
export interface ReplayRequest {
  stage: string;
  from: Date;
  to: Date;
  /** Detail-types: the rules that can match any of them. */
  events?: readonly string[] | undefined;
  /** Names of rules, or of consumers. */
  rules?: readonly string[] | undefined;
  /** Name; by default the one archive of the stage's bus. */
  archive?: string | undefined;
  name: string;
}

/** A rule that takes part in a replay. */
export interface ReplayedRule {
  name: string;
  arn: string;
  /** `inventory.onOrderPlaced`; absent when no template of this repository has it. */
  consumer?: string;
  /** What the consumer does with replayed events: `ignore`, `handle` or `rebuild`. */
  replays?: string;
  /** The detail-types it subscribes to, of those asked for. */
  events: string[];
  /** The detail-types of this repository that it can match. */
  matches: string[];
}

/** A replay as it would be started. */
export interface ReplayPlan {
  name: string;
  archive: { name: string; arn: string };
  bus: { name: string; arn: string };
  from: Date;
  to: Date;
  rules: ReplayedRule[];
  /** Whether it is restricted to the rules; otherwise it goes to all of the bus. */
  filtered: boolean;
}

/** How a replay stands. */
export interface ReplayState {
  state: string;
  reason?: string;
  /** Time of the event replayed last. */
  lastReplayed?: Date;
}

/**
 * Finds the archive and the rules of a replay. EventBridge can restrict a replay to rules and not to events: the rules
 * chosen get everything they match.
 *
 * @param catalogue the events of this repository with their contracts and consumers
 * @throws UsageError when an archive, a rule or an event is unknown, or the times are in the wrong order
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
 */
export async function planReplay(
  events: Pick<EventBridgeClient, 'send'>,
  request: ReplayRequest,
  catalogue: readonly CatalogueEntry[],
): Promise<ReplayPlan> {
  const { stage, from, to, name } = request;
  const { replayNameLength } = eventBridgeLimits;
  if (!/^[.\-_A-Za-z0-9]+$/.test(name) || name.length > replayNameLength) {
    throw new UsageError(
      `--name must be up to ${replayNameLength} letters, digits, dots, hyphens and underscores, not "${name}"`,
    );
  }
  if (from >= to) throw new UsageError(`--from (${from.toISOString()}) must be before --to (${to.toISOString()})`);
  const contracts = (request.events ?? []).map((detailType) => contractOf(detailType, catalogue));
  const busName = `millrace-${stage}`;
  const bus = { name: busName, arn: await busArn(events, busName) };
  const archive = await findArchive(events, bus, request.archive);
  const all = await listRules(events, busName);
  const matching = all.filter(
    ({ pattern }) => contracts.length === 0 || contracts.some((contract) => canMatch(pattern, contract)),
  );
  const chosen =
    request.rules === undefined
      ? matching
      : chooseRules(request.rules, all, stage).filter((rule) => matching.includes(rule));
  if (chosen.length === 0) throw new UsageError('No rule matches these events: nobody would get the replay');
  return {
    name,
    archive,
    bus,
    from,
    to,
    filtered: request.events !== undefined || request.rules !== undefined,
    rules: chosen.map(({ name, arn, pattern }) => ({
      name,
      arn,
      matches: catalogue
        .filter(({ contract }) => contract !== undefined && canMatch(pattern, contract))
        .map(({ detailType }) => detailType),
      events: contracts.filter((contract) => canMatch(pattern, contract)).map(({ detailType }) => detailType),
      ...consumerOf(name, stage, catalogue),
    })),
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html */
export async function startReplay(events: Pick<EventBridgeClient, 'send'>, plan: ReplayPlan): Promise<void> {
  const { name, archive, bus, from, to, rules, filtered } = plan;
  await events.send(
    new StartReplayCommand({
      ReplayName: name,
      EventSourceArn: archive.arn,
      EventStartTime: from,
      EventEndTime: to,
      Destination: { Arn: bus.arn, ...(filtered && { FilterArns: rules.map(({ arn }) => arn) }) },
    }),
  );
}

/**
 * Watches a replay until it has ended or the signal is aborted; the replay goes on then.
 *
 * @param onState is told of every state seen
 * @returns the last state seen
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeReplay.html
 */
export async function watchReplay(
  events: Pick<EventBridgeClient, 'send'>,
  name: string,
  onState: (state: ReplayState) => void,
  signal: AbortSignal,
  pollEvery = POLL_EVERY,
): Promise<ReplayState> {
  for (;;) {
    const answer = await events.send(new DescribeReplayCommand({ ReplayName: name }));
    const state: ReplayState = {
      state: answer.State ?? 'UNKNOWN',
      ...(answer.StateReason !== undefined && { reason: answer.StateReason }),
      ...(answer.EventLastReplayedTime && { lastReplayed: answer.EventLastReplayedTime }),
    };
    onState(state);
    if (['COMPLETED', 'CANCELLED', 'FAILED'].includes(state.state) || signal.aborted) return state;
    await delay(pollEvery, undefined, { signal }).catch(() => {});
    if (signal.aborted) return state;
  }
}

/**
 * Cancels a replay; what has been replayed stays so.
 *
 * @throws UsageError when no replay has the name
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CancelReplay.html
 */
export async function cancelReplay(events: Pick<EventBridgeClient, 'send'>, name: string): Promise<void> {
  try {
    await events.send(new CancelReplayCommand({ ReplayName: name }));
  } catch (error) {
    if (error instanceof ResourceNotFoundException) throw new UsageError(`There is no replay "${name}"`);
    throw error;
  }
}

function contractOf(detailType: string, catalogue: readonly CatalogueEntry[]): EventContract {
  const contract = catalogue.find((entry) => entry.detailType === detailType)?.contract;
  if (contract) return contract;
  const similar = similarNames(
    catalogue.map((entry) => entry.detailType),
    detailType,
  );
  throw new UsageError(`No contract defines "${detailType}"; did you mean ${similar.join(' or ')}?`);
}

async function busArn(events: Pick<EventBridgeClient, 'send'>, name: string): Promise<string> {
  try {
    const { Arn = '' } = await events.send(new DescribeEventBusCommand({ Name: name }));
    return Arn;
  } catch (error) {
    if (error instanceof ResourceNotFoundException)
      throw new UsageError(`There is no event bus ${name}: deploy it first`);
    throw error;
  }
}

async function findArchive(
  events: Pick<EventBridgeClient, 'send'>,
  bus: { name: string; arn: string },
  wanted: string | undefined,
): Promise<{ name: string; arn: string }> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await events.send(new ListArchivesCommand({ EventSourceArn: bus.arn, NextToken }));
    names.push(...(page.Archives ?? []).flatMap(({ ArchiveName }) => ArchiveName ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const list = names.join(', ');
  if (names.length === 0) throw new UsageError(`The bus ${bus.name} has no archive`);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new UsageError(`The bus ${bus.name} has no archive "${wanted}", only ${list}`);
  }
  const [name = '', ...others] = wanted === undefined ? names : [wanted];
  if (others.length > 0)
    throw new UsageError(`The bus ${bus.name} has several archives: say --archive with one of ${list}`);
  const { ArchiveArn = '' } = await events.send(new DescribeArchiveCommand({ ArchiveName: name }));
  return { name, arn: ArchiveArn };
}

interface Rule {
  name: string;
  arn: string;
  pattern: string;
}

/** The rules of a bus that are on and not EventBridge's own: an archive has one. */
async function listRules(events: Pick<EventBridgeClient, 'send'>, busName: string): Promise<Rule[]> {
  const rules: Rule[] = [];
  let NextToken: string | undefined;
  do {
    const page = await events.send(new ListRulesCommand({ EventBusName: busName, NextToken }));
    for (const { Name = '', Arn = '', EventPattern, State, ManagedBy } of page.Rules ?? []) {
      if (EventPattern === undefined || State === 'DISABLED' || ManagedBy !== undefined) continue;
      rules.push({ name: Name, arn: Arn, pattern: EventPattern });
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return rules;
}

/** Whether a rule can match an event: what it asks of the detail may hold for some. */
function canMatch(pattern: string, contract: EventContract): boolean {
  const { detail: _, ...asked } = JSON.parse(pattern) as Record<string, unknown>;
  if (Object.keys(asked).length === 0) return true;
  const context = { id: 'example', time: new Date(), subject: 'example', correlationId: 'example' };
  const event = contract.create(contract.example, context);
  return compilePattern(asked)({
    version: '0',
    id: 'example',
    'detail-type': event.detailType,
    source: event.source,
    time: event.time,
    resources: [],
    detail: JSON.parse(event.detail),
  });
}

function chooseRules(wanted: readonly string[], rules: readonly Rule[], stage: string): Rule[] {
  return wanted.map((text) => {
    const rule =
      rules.find(({ name }) => name === text) ??
      rules.find(({ name }) => consumerKey(name, stage) === consumerKey(text, stage));
    if (rule) return rule;
    const similar = similarNames(
      rules.map(({ name }) => name),
      text,
    );
    throw new UsageError(`There is no rule "${text}"; did you mean ${similar.join(' or ')}?`);
  });
}

function consumerOf(
  ruleName: string,
  stage: string,
  catalogue: readonly CatalogueEntry[],
): Pick<ReplayedRule, 'consumer' | 'replays'> {
  const consumer = consumerOfRule(ruleName, stage, catalogue);
  if (!consumer) return {};
  return { consumer: `${consumer.service}.${consumer.function}`, replays: consumer.replays ?? 'ignore' };
}
