import { DynamoDbEngine } from '@millrace/local/dynamodb-engine';
import { Random } from '../random.ts';
import { Bus } from './aws/bus.ts';
import { Mail } from './aws/mail.ts';
import { Network } from './aws/network.ts';
import { Queues } from './aws/queues.ts';
import { Schedules } from './aws/schedules.ts';
import { Store } from './aws/store.ts';
import { Container } from './container.ts';
import type { Deployment } from './deployment.ts';
import type { FunctionCode } from './function-code.ts';
import { Functions } from './functions.ts';
import type { Fault, HistoryPlan, Occasion } from './plan.ts';
import { SimulatedProvider } from './provider.ts';
import type { Sabotage } from './sabotage.ts';
import { Scheduler } from './scheduler.ts';
import { Trace } from './trace.ts';

/** When simulated time begins. Noon, so that a history of some hours has one day. */
const START = Date.UTC(2026, 2, 2, 12);

/** The simulated system of one history: every part of it, and what goes wrong when. */
export class World {
  readonly plan: HistoryPlan;
  readonly deployment: Deployment;
  readonly code: FunctionCode;
  readonly sabotage: Sabotage;
  readonly scheduler = new Scheduler(START);
  readonly random: Random;
  readonly trace: Trace;
  readonly engine: DynamoDbEngine;
  readonly network: Network;
  readonly store: Store;
  readonly bus: Bus;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly mail: Mail;
  readonly provider: SimulatedProvider;
  readonly functions: Functions;
  readonly #faults: ReadonlyMap<string, Fault[]>;
  readonly #counts = new Map<Occasion, number>();
  /** Nothing goes wrong, and nothing that happens counts. */
  isQuiet = false;
  #containers = 0;

  constructor(plan: HistoryPlan, deployment: Deployment, code: FunctionCode, sabotage: Sabotage = {}) {
    this.plan = plan;
    this.deployment = deployment;
    this.code = code;
    this.sabotage = sabotage;
    this.random = new Random(`history ${plan.seed}`);
    this.trace = new Trace(() => this.scheduler.now - START);
    this.#faults = Map.groupBy(plan.faults, ({ on, nth }) => `${on} ${nth}`);
    this.engine = new DynamoDbEngine({ now: () => this.scheduler.now });
    this.network = new Network(this);
    this.store = new Store(this);
    this.queues = new Queues(this);
    this.bus = new Bus(this);
    this.schedules = new Schedules(this);
    this.mail = new Mail();
    this.provider = new SimulatedProvider(this);
    this.functions = new Functions(this);
  }

  /** Counts an occasion. @returns what goes wrong now */
  faultsAt(on: Occasion): readonly Fault[] {
    if (this.isQuiet) return [];
    const nth = (this.#counts.get(on) ?? 0) + 1;
    this.#counts.set(on, nth);
    return this.#faults.get(`${on} ${nth}`) ?? [];
  }

  /** Makes a container of its own name, clock and random numbers. */
  newContainer(name: string): Container {
    this.#containers += 1;
    let skew = 0;
    for (const { what, amount } of this.faultsAt('container')) skew = what === 'clock ahead' ? amount : -amount;
    const random = new Random(`container ${this.plan.seed} ${this.#containers}`);
    const container = new Container(`${name}~${this.#containers}`, { scheduler: this.scheduler, random, skew });
    if (skew !== 0) {
      this.trace.fault(container.name, `its clock is ${Math.round(skew / 1000)} s ${skew > 0 ? 'ahead' : 'behind'}`);
    }
    return container;
  }
}
