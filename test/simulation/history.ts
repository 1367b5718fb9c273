import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, ListEventBusesCommand } from '@aws-sdk/client-eventbridge';
import { GetAccountCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { httpRequest } from '@millrace/testing';
import { connect, installNetwork } from './aws/network.ts';
import { leaveContainers } from './container.ts';
import { Customers } from './customers.ts';
import { type Deployment, readDeployment } from './deployment.ts';
import { FunctionCode } from './function-code.ts';
import { type Violation, violationsOf } from './invariants.ts';
import { Operator, operationsFile, prepareOperator } from './operator.ts';
import type { HistoryPlan } from './plan.ts';
import type { Sabotage } from './sabotage.ts';
import { installSimulatedGlobals } from './simulated-globals.ts';
import { TimeLimits } from './time-limits.ts';
import { World } from './world.ts';

/** How a history ended. */
export interface HistoryResult {
  plan: HistoryPlan;
  violations: Violation[];
  /** What happened, line by line. */
  trace: () => string[];
  /** Of the trace: two runs of a plan have the same. */
  digest: () => string;
  /** Events of the scheduler. */
  steps: number;
  /** Simulated ms. */
  simulatedMs: number;
}

/** Longer than any history: what goes on then goes round in circles. In simulated ms. */
const MAX_MS = 30 * 24 * 60 * 60 * 1000;
/** Events of the scheduler after which a history goes round in circles. */
const MAX_STEPS = 30_000;
/** More than this many orders take more of them. */
const MAX_STEPS_PER_ORDER = 7_500;

/** What the SDK and Powertools ask for, whenever they do. */
const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'simulation',
  AWS_SECRET_ACCESS_KEY: 'simulation',
  POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
};

/** Runs histories. There is one in a process, and it has the process's clock, timers and random numbers. */
export class Simulator {
  readonly #deployment: Deployment;
  readonly #code: FunctionCode;

  private constructor(deployment: Deployment, code: FunctionCode) {
    this.#deployment = deployment;
    this.#code = code;
  }

  /** Bundles the functions and makes the process a simulated one. */
  static async start(): Promise<Simulator> {
    Object.assign(process.env, environment);
    installSimulatedGlobals();
    installNetwork();
    await prepareOperator();
    const deployment = readDeployment();
    const files = [...deployment.functions.map(({ file }) => file), operationsFile(deployment)];
    const code = await FunctionCode.load(files, {
      [join(deployment.root, 'services/payments/src/adapters/sandbox-provider.ts')]: join(
        import.meta.dirname,
        'simulated-adapter.ts',
      ),
    });
    await readConfiguration();
    return new Simulator(deployment, code);
  }

  /** Runs one history to its end. */
  async run(plan: HistoryPlan, sabotage: Sabotage = {}): Promise<HistoryResult> {
    const world = new World(plan, this.#deployment, this.#code, sabotage);
    connect(world);
    globalThis.simulatedProvider = world.provider;
    const start = world.scheduler.now;
    const violations: Violation[] = [];
    try {
      await this.#prepare(world);
      const customers = new Customers(world);
      const operator = new Operator(world);
      const timeLimits = new TimeLimits(world);
      await world.scheduler.run(start + MAX_MS, Math.max(MAX_STEPS, plan.orders.length * MAX_STEPS_PER_ORDER));
      while (await operator.round());
      // Orders that the operator did not put right end by themselves, and may leave dead letters.
      await timeLimits.pass();
      while (await operator.round());
      if (world.scheduler.isQuiet) violations.push(...violationsOf(world, customers));
      else violations.push('the history does not end: something goes round in circles');
    } catch (error) {
      violations.push(`the simulation itself failed: ${(error as Error).stack}`);
    } finally {
      leaveContainers();
      connect(undefined);
      globalThis.simulatedProvider = undefined;
    }
    return {
      plan,
      violations,
      trace: () => world.trace.lines(),
      digest: () => createHash('sha256').update(world.trace.lines().join('\n')).digest('hex').slice(0, 16),
      steps: world.scheduler.steps,
      simulatedMs: world.scheduler.now - start,
    };
  }

  /** What the shop's staff has done before: nothing goes wrong with that. */
  async #prepare(world: World): Promise<void> {
    world.isQuiet = true;
    for (const [sku, body] of Object.entries(world.plan.stock)) {
      const request = httpRequest('PUT /stock/{sku}', { path: { sku }, body, claims: { sub: 'staff' } });
      world.functions.invoke('inventory.putStock', request, () => {});
    }
    if (world.plan.orders.some(({ slot }) => slot)) world.functions.invoke('reservations.generateSlots', {}, () => {});
    await world.scheduler.run();
    world.isQuiet = false;
  }
}

/** The SDK reads its configuration in real time, once for a process: by the time a history begins, it has. */
async function readConfiguration(): Promise<void> {
  const clients = [
    new DynamoDBClient({}).send(new ListTablesCommand({})),
    new EventBridgeClient({}).send(new ListEventBusesCommand({})),
    new SESv2Client({}).send(new GetAccountCommand({})),
    new SNSClient({}).send(new ListTopicsCommand({})),
    new SQSClient({}).send(new ListQueuesCommand({})),
  ];
  // There is no history yet whose network would answer.
  await Promise.allSettled(clients);
}
