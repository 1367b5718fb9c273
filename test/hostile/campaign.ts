import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestToken } from '@millrace/local/request-token';
import { eventually } from '@millrace/testing';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { scopesOf } from '../end-to-end/shop.ts';
import { AwsPort } from './aws-port.ts';
import type { BusInput } from './bus-inputs.ts';
import { flawOf, type ReceivedMessage } from './dead-letters.ts';
import { type DeployedStage, readDeployedStage } from './deployed-stage.ts';
import type { HttpInput, Tokens } from './http-inputs.ts';
import { CHUNK, type HostileInput, type InputReference, Inputs } from './inputs.ts';
import { type ConsumerMetrics, Ledger, type Origin } from './ledger.ts';
import { PartnerOrders } from './partner-orders.ts';
import type { QueueInput } from './queue-inputs.ts';
import { depths, takeAll } from './queues.ts';
import { type RawAnswer, requestBytes, sendBytes } from './raw-http.ts';
import { reemitLetters } from './redrive.ts';
import { type RuntimeProcess, startRuntimeProcess } from './runtime.ts';
import { Tally, type Violation } from './tally.ts';
import { openTap, type Tap } from './tap.ts';

export interface CampaignOptions {
  inputs: number;
  seed: number;
  /** Letters that are given to the re-emitter. */
  reemissions: number;
  onProgress?: (line: string) => void;
}

/** What a campaign came to. */
export interface CampaignResult {
  tally: Tally;
  violations: Violation[];
  /** Files with the inputs behind the violations. */
  files: string[];
  /** When the heaps were full, see FILLING, and after everything. */
  /** Resident, in MiB. */
  memory: { before: number; after: number };
  /** Of the load, without settling, in seconds. */
  seconds: number;
}

/** Orders that valid events are about. Enough that few of them meet at one. */
const ORDERS = 30;
const SENDERS = 4;
/** Messages that may wait for the consumers before more are sent. */
const MAX_WAITING = 60;
const SAMPLE_EVERY = 7;
/** Of these no more is written out: they mostly have one reason. */
const MAX_FILES = 20;
/**
 * Only a run that fails waits for so long. A record may wait for its retries, up to 13 minutes with ten attempts; a function that died
 * is tried again when its queue's visibility timeout is over, a minute each.
 */
const SETTLE_WITHIN_MS = 1_200_000;
const CALM_ROUNDS = 4;
const MEMORY_WITHIN_MS = 90_000;
const MAX_GROWTH = 1.1;
/** The part of the inputs after which memory should not grow: until then the heaps of all functions reach their usual size. */
const FILLING = 0.6;
/** A shorter run ends while the heap is still filling up, and proves nothing about memory. */
const MEMORY_FROM_INPUTS = 5_000;
/** The tables are in memory: they grow by what the sound inputs store. */
const TABLES_MIB = 64;

/** Statuses that API Gateway, or an HTTP server in front of it, gives by itself. */
const gatewayStatuses = new Set([400, 401, 403, 404, 405, 408, 413, 414, 417, 429, 431]);

/** Sends hostile inputs to a runtime of its own and sees that each of them is accounted for. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const runtime = await startRuntimeProcess();
  const aws = new AwsPort(runtime.awsUrl);
  try {
    // The tap's own rule is no part of it.
    const stage = await readDeployedStage(aws);
    const [tokens, tap] = await Promise.all([readTokens(runtime.issuerUrl), openTap(aws)]);
    const orderIds = await placeOrders(runtime.apiUrl, tokens);
    const campaign = new Campaign({
      runtime,
      aws,
      stage,
      tap,
      inputs: new Inputs(stage, tokens, orderIds, runtime),
    });
    await campaign.sendFirstOrders();
    return await campaign.run(options);
  } finally {
    aws.close();
    await runtime.stop();
  }
}

async function readTokens(issuerUrl: string): Promise<Tokens> {
  const customer = { subject: 'hostile-customer', scope: scopesOf.customer };
  const [good, staff, expired, foreign] = await Promise.all([
    requestToken(issuerUrl, customer),
    requestToken(issuerUrl, { subject: 'hostile-staff', scope: scopesOf.staff }),
    requestToken(issuerUrl, { ...customer, expiresIn: -60 }),
    requestToken(issuerUrl, { ...customer, issuer: 'https://auth.elsewhere.example' }),
  ]);
  return { customer: good, staff, expired, foreign };
}

async function placeOrders(apiUrl: string, { customer }: Tokens): Promise<string[]> {
  const body = Buffer.from(
    JSON.stringify({
      customer: { name: 'Ada Example', email: 'ada@example.com' },
      shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
      currency: 'EUR',
      lines: [{ sku: 'SKU-of-nobody', quantity: 1, unitPrice: 349 }],
      paymentToken: 'tok_approved',
    }),
  );
  const headers = [
    ['host', new URL(apiUrl).host],
    ['connection', 'close'],
    ['authorization', `Bearer ${customer}`],
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
  ] as const;
  const orderIds: string[] = [];
  for (let count = 0; count < ORDERS; count += 1) {
    const answer = await sendBytes(apiUrl, requestBytes('POST /orders HTTP/1.1', headers, body));
    if (answer.status !== 202) throw new Error(`POST /orders answered ${answer.status}: ${answer.body}`);
    orderIds.push((JSON.parse(answer.body) as { orderId: string }).orderId);
  }
  return orderIds;
}

interface CampaignParts {
  runtime: RuntimeProcess;
  aws: AwsPort;
  stage: DeployedStage;
  tap: Tap;
  inputs: Inputs;
}

class Campaign {
  readonly #parts: CampaignParts;
  readonly #ledger: Ledger;
  readonly #tally = new Tally();
  readonly #violations: Violation[] = [];
  readonly #partners: readonly PartnerOrders[];
  /** Events that the bus has taken from us and that have not been heard on it yet, by their ids. */
  readonly #accepted = new Map<string, { consumers: string[]; origin: Origin }>();
  /** Letters to be given to the re-emitter. */
  readonly #samples: { consumer: string; message: ReceivedMessage }[] = [];
  #sampleSize = 0;
  #letters = 0;
  #reemissionsHeard = 0;

  #onProgress: (line: string) => void = () => {};

  constructor(parts: CampaignParts) {
    this.#parts = parts;
    const { aws, stage } = parts;
    this.#ledger = new Ledger([...stage.consumers, ...stage.partners].map(({ name }) => name));
    const counted = { aws, ledger: this.#ledger, tally: this.#tally };
    this.#partners = stage.partners.map((partner) => new PartnerOrders(partner, counted));
  }

  /** Has each partner send an order, and waits until it is admitted: its number is taken then. */
  async sendFirstOrders(): Promise<void> {
    for (const partner of this.#partners) await partner.sendFirst();
    await this.#waitForConsumers(0);
  }

  async run({ inputs, seed, reemissions, onProgress = () => {} }: CampaignOptions): Promise<CampaignResult> {
    const { runtime } = this.#parts;
    this.#sampleSize = reemissions;
    this.#onProgress = onProgress;
    const load = async (from: number, to: number) => {
      const started = performance.now();
      await this.#load(from, to, seed, (sent) =>
        onProgress(`${sent} of ${inputs} inputs, ${runtime.memory().toFixed(0)} MiB`),
      );
      return (performance.now() - started) / 1000;
    };
    const filling = Math.ceil((inputs * FILLING) / CHUNK) * CHUNK;
    const fillingSeconds = await load(0, Math.min(filling, inputs));
    await this.#settle();
    const before = runtime.memory();
    const seconds = fillingSeconds + (await load(filling, inputs));
    onProgress('Waiting until everything is accounted for …');
    await this.#settle();
    onProgress(`Re-emitting ${this.#samples.length} dead letters …`);
    await this.#reemit();
    await this.#settle();
    await this.#checkAlarms();
    const after = inputs < MEMORY_FROM_INPUTS ? runtime.memory() : await this.#memoryBelow(before);
    return {
      tally: this.#tally,
      violations: this.#violations,
      files: this.#writeInputs(seed),
      memory: { before, after },
      seconds,
    };
  }

  /** Sends the inputs of a seed from one place, the first of a chunk, to another one. */
  async #load(from: number, to: number, seed: number, onChunk: (sent: number) => void): Promise<void> {
    const { runtime, inputs } = this.#parts;
    for (let sent = from; sent < to; sent += CHUNK) {
      const chunkSeed = seed + sent / CHUNK;
      const queued = inputs.chunk(chunkSeed, Math.min(CHUNK, to - sent)).entries();
      const sender = async () => {
        for (const [place, input] of queued) await this.#send(input, { seed: chunkSeed, place });
      };
      await Promise.all(Array.from({ length: SENDERS }, sender));
      if (runtime.ended() !== undefined) throw new Error(runtime.ended());
      await this.#collect();
      await this.#waitForConsumers();
      onChunk(Math.min(sent + CHUNK, to));
    }
  }

  async #send(input: HostileInput, reference: InputReference): Promise<void> {
    try {
      const outcome = await this.#outcomeOf(input, reference);
      if (outcome !== undefined) this.#tally.count(input.way, input.kind, outcome);
    } catch (error) {
      this.#tally.count(input.way, input.kind, 'VIOLATION');
      const what = error instanceof Error ? error.message : String(error);
      this.#violations.push({ what: `${input.way}, ${input.kind}: ${what}`, input: reference });
    }
  }

  /** Sends an input. @returns what came of it, undefined where that is counted already */
  #outcomeOf(input: HostileInput, reference: InputReference): Promise<string | undefined> {
    const { runtime } = this.#parts;
    switch (input.way) {
      case 'http':
        return sendBytes(runtime.apiUrl, input.bytes).then((answer) => judgeAnswer(input, answer));
      case 'port':
        return sendBytes(runtime.awsUrl, input.bytes).then(({ status, body }) => {
          if (status >= 500) throw new Error(`it was answered ${status}: ${body}`);
          return String(status);
        });
      case 'bus':
        return this.#put(input, reference);
      case 'queue':
        return this.#enqueue(input, reference);
      case 'partner':
        return Promise.all(this.#partners.map((partner) => partner.send(input, reference))).then(() => undefined);
    }
  }

  async #put({ kind, accessKeyId, body, entry, fate, refused }: BusInput, input: InputReference): Promise<string> {
    const { status, text } = await this.#parts.aws.send('events', 'PutEvents', body, accessKeyId);
    if (status >= 500) throw new Error(`PutEvents answered ${status}: ${text}`);
    if (status >= 400) {
      const code = (JSON.parse(text) as { __type: string }).__type;
      if (fate) throw new Error(`PutEvents refused it: ${text}`);
      return `refused: ${code}`;
    }
    const { Entries } = JSON.parse(text) as { Entries: { EventId?: string; ErrorCode?: string }[] };
    const outcomes = Entries.map(({ EventId, ErrorCode }) => {
      if (EventId === undefined) {
        if (ErrorCode === undefined) throw new Error(`PutEvents neither took nor refused it: ${text}`);
        if (fate) throw new Error(`PutEvents refused it: ${ErrorCode}`);
        return `refused: ${ErrorCode}`;
      }
      if (refused || !entry) throw new Error('PutEvents took it');
      const { Source: source, DetailType: detailType, Detail } = entry;
      const { stage } = this.#parts;
      const consumers = stage.consumersOf({ source, 'detail-type': detailType, detail: JSON.parse(Detail) });
      this.#accepted.set(EventId, { consumers, origin: { kind: `bus, ${kind}`, fate, input } });
      return consumers.length === 0 ? 'for no consumer' : `for ${consumers.length} consumers`;
    });
    return [...new Set(outcomes)].join(' and ');
  }

  async #enqueue(
    { kind, consumer, body, attributes, systemAttributes, fate }: QueueInput,
    input: InputReference,
  ): Promise<string> {
    const { stage, aws } = this.#parts;
    const QueueUrl = stage.consumers.find(({ name }) => name === consumer)?.queueUrl;
    const { status, text } = await aws.send(
      'sqs',
      'SendMessage',
      JSON.stringify({
        QueueUrl,
        MessageBody: body,
        MessageAttributes: attributes,
        MessageSystemAttributes: systemAttributes,
      }),
    );
    if (status >= 500) throw new Error(`SendMessage answered ${status}: ${text}`);
    if (status >= 400) {
      if (fate === 'taken') throw new Error(`SendMessage refused a sound event: ${text}`);
      return `refused: ${(JSON.parse(text) as { __type: string }).__type}`;
    }
    this.#ledger.receive(consumer, body, { kind: `queue, ${kind}`, fate, input });
    return 'sent';
  }

  /** Takes what there is off the tap and the dead-letter queues, and into the account. */
  async #collect(): Promise<void> {
    const { aws, stage, tap } = this.#parts;
    await tap.heard(({ id, text, event, traceHeader }) => {
      const ours = this.#accepted.get(id);
      this.#accepted.delete(id);
      for (const partner of this.#partners) partner.hear(event);
      if (/;Reemission=/.test(traceHeader ?? '')) this.#reemissionsHeard += 1;
      for (const consumer of ours?.consumers ?? stage.consumersOf(event)) {
        this.#ledger.receive(consumer, text, ours?.origin ?? { kind: `from the system, ${event['detail-type']}` });
      }
    });
    for (const { name, deadLetterQueueUrl } of stage.consumers) {
      await takeAll(aws, deadLetterQueueUrl, (message) => this.#sample(name, message));
    }
    for (const partner of this.#partners) {
      const { name, deadLetterQueueUrl } = partner.partner;
      await takeAll(aws, deadLetterQueueUrl, (message) => {
        this.#takeLetter(name, message);
        this.#violations.push(...partner.bury(message));
      });
    }
  }

  #takeLetter(consumer: string, message: ReceivedMessage): void {
    const attempts = Number(message.MessageAttributes?.Attempts?.StringValue ?? 1);
    const origin = this.#ledger.bury(consumer, message.Body, attempts);
    const flaw = flawOf(message);
    if (flaw !== undefined) {
      this.#violations.push({
        what: `${consumer}: a dead letter: ${flaw}`,
        ...(origin?.input && { input: origin.input }),
      });
    }
    this.#tally.count(
      'dead letters',
      message.MessageAttributes?.ErrorCode?.StringValue ?? 'no room for a code',
      consumer,
    );
  }

  /** Takes a letter of a consumer. Some are kept for the re-emitter, which takes no partners' orders. */
  #sample(consumer: string, message: ReceivedMessage): void {
    this.#takeLetter(consumer, message);
    this.#letters += 1;
    // Not the first of all: these would be of one consumer.
    const isDue = this.#letters % SAMPLE_EVERY === 0 && this.#samples.length < this.#sampleSize;
    // The re-emitter leaves what belongs to a replay to a redrive.
    const isSample = isDue && !message.Body.includes('"replay-name"');
    if (isSample) this.#samples.push({ consumer, message });
  }

  async #waitForConsumers(most = MAX_WAITING): Promise<void> {
    await eventually(
      async () => {
        const waiting = await this.#waiting();
        const count = [...waiting.values()].reduce((sum, depth) => sum + depth, 0);
        if (count > most) throw new Error(`${count} messages wait: ${JSON.stringify([...waiting])}`);
      },
      { deadlineMs: SETTLE_WITHIN_MS, intervalMs: 50 },
    );
  }

  #waiting(): Promise<Map<string, number>> {
    const { aws, stage } = this.#parts;
    return depths(
      aws,
      [...stage.consumers, ...stage.partners].map(({ queueUrl }) => queueUrl),
    );
  }

  /** Waits until every message is accounted for. What is not by then is a violation. */
  async #settle(): Promise<void> {
    const problems = async (): Promise<Violation[]> => {
      const waiting = await this.#waiting();
      await this.#collect();
      const report = await this.#parts.runtime.report();
      return [
        ...[...waiting].map(([name, count]) => ({ what: `${name}: ${count} messages are still there` })),
        ...[...this.#accepted.values()].map(({ origin: { kind, input } }) => ({
          what: `an event that PutEvents has taken was not on the bus (${kind})`,
          ...(input && { input }),
        })),
        ...this.#ledger.violations(this.#metricsOf(report.metrics)),
        ...this.#partners.flatMap((partner) => partner.violations()),
        ...report.leaks.map((line) => ({ what: `personal data in a log: ${line}` })),
        ...(await this.#forbidden()),
        ...report.warnings
          .filter((line) => /is lost|are lost|failed: |Cannot read/.test(line))
          .map((what) => ({ what })),
      ];
    };
    let left: Violation[] = [];
    let calm = 0;
    await eventually(
      async () => {
        left = await problems();
        calm = left.length === 0 ? calm + 1 : 0;
        // What a relay emits a moment later is in no account yet.
        if (calm < CALM_ROUNDS) throw new Error('not settled');
      },
      { deadlineMs: this.#violations.length > 0 ? SETTLE_WITHIN_MS / 4 : SETTLE_WITHIN_MS, intervalMs: 400 },
    ).catch((error: Error) => {
      if (error.message !== 'not settled') throw error;
    });
    const known = new Set(this.#violations.map(({ what }) => what));
    const found = left.filter(({ what }) => !known.has(what));
    this.#violations.push(...found);
    for (const { what } of found.slice(0, MAX_FILES)) this.#onProgress(`not as it must be: ${what}`);
  }

  #metricsOf(metrics: Record<string, Record<string, number>>): Map<string, ConsumerMetrics> {
    const { consumers, partners } = this.#parts.stage;
    return new Map([
      ...consumers.map(({ name, functionName }): [string, ConsumerMetrics] => {
        const { EventHandled = 0, EventDuplicate = 0, EventReplayIgnored = 0 } = metrics[functionName] ?? {};
        return [name, { handled: EventHandled, duplicate: EventDuplicate, ofReplays: EventReplayIgnored }];
      }),
      ...partners.map(({ name, functionName }): [string, ConsumerMetrics] => {
        return [name, { handled: metrics[functionName]?.PartnerOrderAdmitted ?? 0, duplicate: 0, ofReplays: 0 }];
      }),
    ]);
  }

  async #forbidden(): Promise<Violation[]> {
    const { aws, stage } = this.#parts;
    const found = await depths(aws, stage.forbiddenQueues);
    return [...found].map(([name, count]) => ({ what: `${name}: ${count} messages, and there must be none` }));
  }

  async #reemit(): Promise<void> {
    const { aws, stage } = this.#parts;
    const heardBefore = this.#reemissionsHeard;
    const { reemitted, parked, violations } = await reemitLetters(aws, stage, this.#samples);
    this.#tally.count('re-emitter', 'letters', 'sampled');
    for (const [text, count] of [...reemitted, ...parked])
      for (let n = 0; n < count; n += 1) this.#tally.count('re-emitter', text, 'letters');
    this.#violations.push(...violations);
    const emitted = [...reemitted.values()].reduce((sum, count) => sum + count, 0);
    await eventually(
      async () => {
        await this.#collect();
        const heard = this.#reemissionsHeard - heardBefore;
        if (heard !== emitted)
          throw new Error(`${emitted} letters were re-emitted, and ${heard} of them were on the bus`);
      },
      { intervalMs: 100 },
    ).catch((error: Error) => this.#violations.push({ what: error.message }));
  }

  async #checkAlarms(): Promise<void> {
    const { alarms } = await this.#parts.runtime.report();
    for (const name of new Set(alarms.filter((alarm) => alarm.endsWith('-stopped')))) {
      this.#violations.push({ what: `the alarm ${name} went off` });
    }
  }

  /** Memory, once it has come down, or as it is when it does not. */
  async #memoryBelow(before: number): Promise<number> {
    const { runtime } = this.#parts;
    let after = runtime.memory();
    await eventually(
      () => {
        after = runtime.memory();
        if (after <= before * MAX_GROWTH + TABLES_MIB) return;
        throw new Error(`the runtime has grown from ${before.toFixed(0)} to ${after.toFixed(0)} MiB`);
      },
      { deadlineMs: MEMORY_WITHIN_MS, intervalMs: 500 },
    ).catch((error: Error) => this.#violations.push({ what: error.message }));
    return after;
  }

  /** Writes the inputs behind the violations where somebody can look at them. */
  #writeInputs(seed: number): string[] {
    const folder = join(findWorkspaceRoot(import.meta.dirname), '.millrace', 'hostile');
    mkdirSync(folder, { recursive: true });
    return this.#violations.slice(0, MAX_FILES).map(({ what, input }, index) => {
      const file = join(folder, `${seed}-${index + 1}.json`);
      const offender = input && this.#parts.inputs.at(input);
      const readable = (_: string, value: unknown) =>
        isBuffer(value) ? { base64: Buffer.from(value.data).toString('base64') } : value;
      writeFileSync(file, `${JSON.stringify({ what, reference: input, input: offender }, readable, 2)}\n`);
      return file;
    });
  }
}

function isBuffer(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

/** @returns the status, with whose it is @throws Error when it is not a right answer */
function judgeAnswer({ statuses }: HttpInput, { status, headers, body }: RawAnswer): string {
  const answered = `it was answered ${status}: ${body.slice(0, 500)}`;
  if (status >= 500) throw new Error(answered);
  if (statuses && !statuses.includes(status)) throw new Error(`${answered}; right is ${statuses.join(' or ')}`);
  if (status < 400) return String(status);
  const requestId = headers['x-request-id'];
  if (requestId === undefined) {
    if (!gatewayStatuses.has(status)) throw new Error(`${answered}; that is not a status of API Gateway`);
    return `${status} of the gateway`;
  }
  const problem = JSON.parse(body) as { status?: number; code?: string; requestId?: string };
  if (
    headers['content-type'] !== 'application/problem+json' ||
    problem.requestId !== requestId ||
    problem.status !== status
  ) {
    throw new Error(`${answered}; that is not a problem document with the request's id`);
  }
  return `${status} ${problem.code}`;
}
