import type { Scheduled } from '../scheduler.ts';
import type { World } from '../world.ts';
import { AwsFailure } from './network.ts';

/** Input of CreateSchedule. */
interface ScheduleInput {
  Name: string;
  ScheduleExpression: string;
  Target: { Input: string; EventBridgeParameters: { Source: string; DetailType: string } };
}

/** EventBridge Scheduler is up to a minute late. */
const PRECISION_MS = 59_999;

/** EventBridge Scheduler: one-off schedules that put an event on the bus and delete themselves. */
export class Schedules {
  readonly #world: World;
  readonly #schedules = new Map<string, { input: ScheduleInput; runs: Scheduled[]; ignoresDeletion: boolean }>();
  /** What they have put on the bus: no table holds it. */
  readonly eventIds = new Set<string>();
  /** Invocations that are still to come. */
  readonly #waiting = new Set<Scheduled>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether an invocation is to come by then. */
  isDueBy(time: number): boolean {
    return [...this.#waiting].some(({ at }) => at <= time);
  }

  execute(operation: string, input: ScheduleInput): object {
    switch (operation) {
      case 'CreateSchedule':
        return this.#create(input);
      case 'DeleteSchedule':
        return this.#delete(input.Name);
      default:
        throw new Error(`The simulation has no ${operation}`);
    }
  }

  #create(input: ScheduleInput): object {
    const { scheduler, random, trace, sabotage } = this.#world;
    const { Name, ScheduleExpression } = input;
    if (this.#schedules.has(Name)) throw new AwsFailure('ConflictException', 'It exists', { status: 409 });
    const at = Date.parse(`${/^at\((.+)\)$/.exec(ScheduleExpression)?.[1]}Z`);
    if (Number.isNaN(at)) throw new AwsFailure('ValidationException', `Invalid expression ${ScheduleExpression}`);
    let delay = at - scheduler.now + random.between(0, PRECISION_MS);
    const schedule = { input, runs: [] as Scheduled[], ignoresDeletion: false };
    this.#schedules.set(Name, schedule);
    let [isLost, again] = [sabotage.losesSchedules === true, 0];
    for (const { what, amount } of this.#world.faultsAt('schedule')) {
      trace.fault('scheduler', `the schedule of ${Name} ${what === 'lost' ? 'will never run' : what}`);
      if (what === 'lost') isLost = true;
      else if (what === 'runs late') delay += amount;
      else if (what === 'runs twice') again = amount;
      else schedule.ignoresDeletion = true;
    }
    if (isLost) return { ScheduleArn: Name };
    for (const extra of again > 0 ? [0, again] : [0]) {
      const invoke = (): void => {
        this.#waiting.delete(run);
        this.#run(Name, input);
      };
      // To wait for it is no work: the history is over without it, unless time is let pass.
      const run: Scheduled = scheduler.after(delay + extra, invoke, { idle: true });
      this.#waiting.add(run);
      schedule.runs.push(run);
    }
    return { ScheduleArn: Name };
  }

  #run(name: string, { Target }: ScheduleInput): void {
    const { bus, trace } = this.#world;
    const { Source, DetailType } = Target.EventBridgeParameters;
    this.#schedules.delete(name);
    trace.add('scheduler', `puts ${DetailType} of ${name}`);
    this.eventIds.add(JSON.parse(Target.Input).metadata.id);
    bus.putEvents({ Entries: [{ Source, DetailType, Detail: Target.Input }] });
  }

  #delete(name: string): object {
    const schedule = this.#schedules.get(name);
    if (!schedule) throw new AwsFailure('ResourceNotFoundException', 'There is no such schedule', { status: 404 });
    this.#schedules.delete(name);
    if (schedule.ignoresDeletion) return {};
    for (const run of schedule.runs) {
      run.cancel();
      this.#waiting.delete(run);
    }
    return {};
  }
}
