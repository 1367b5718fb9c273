import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Place } from '../arns.ts';
import type { StatesStore } from '../execution/store.ts';
import type { Activity } from './activity.ts';

/** How long a worker that asks for a task waits for one. */
const POLL_MS = 60_000;

/** A task that waits for a worker. */
interface WaitingTask {
  readonly token: string;
  readonly input: string;
  /** Tells who has taken it. */
  readonly take: (workerName: string | undefined) => void;
}

/** A worker that waits for a task. */
type Worker = (task: WaitingTask | undefined) => void;

/**
 * Activities, the tasks that wait for workers, and the workers that wait for tasks.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
 */
export class Activities {
  readonly #store: StatesStore;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #activities = new Map<string, Activity>();
  readonly #tasks = new Map<string, WaitingTask[]>();
  readonly #workers = new Map<string, Worker[]>();

  constructor(store: StatesStore, place: Place, clock: Clock) {
    this.#store = store;
    this.#place = place;
    this.#clock = clock;
    for (const activity of store.activities()) this.#activities.set(activity.arn, activity);
  }

  arnOf(name: string): string {
    return `arn:aws:states:${this.#place.region}:${this.#place.accountId}:activity:${name}`;
  }

  /** Creates an activity, or answers with the one that has its name. */
  create(name: string, tags: Record<string, string>): Activity {
    const arn = this.arnOf(name);
    const activity = this.#activities.get(arn) ?? { arn, name, tags, createdAt: this.#clock.now() };
    this.#activities.set(arn, activity);
    this.#store.saveActivity(activity);
    return activity;
  }

  list(): Activity[] {
    return [...this.#activities.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  find(arn: string): Activity | undefined {
    return this.#activities.get(arn);
  }

  /** @throws AwsError ActivityDoesNotExist */
  required(arn: string): Activity {
    const activity = this.#activities.get(arn);
    if (activity) return activity;
    throw new AwsError('ActivityDoesNotExist', `Activity Does Not Exist: '${arn}'`);
  }

  save(activity: Activity): void {
    this.#store.saveActivity(activity);
  }

  delete(arn: string): void {
    this.#activities.delete(arn);
    this.#store.deleteActivity(arn);
  }

  /**
   * Offers a task to workers.
   * @returns the name of the worker that has taken it, once one has
   * @throws AwsError ActivityDoesNotExist
   */
  async offer(arn: string, token: string, input: string): Promise<string | undefined> {
    this.required(arn);
    return new Promise((take) => {
      const task = { token, input, take };
      const worker = this.#workers.get(arn)?.shift();
      if (worker) worker(task);
      else this.#tasks.set(arn, [...(this.#tasks.get(arn) ?? []), task]);
    });
  }

  /** Takes a task back that is over before a worker has taken it. */
  withdraw(arn: string, token: string): void {
    this.#tasks.set(
      arn,
      (this.#tasks.get(arn) ?? []).filter((task) => task.token !== token),
    );
  }

  /**
   * Gives a worker a task, waiting for one up to a minute.
   * @param signal of a worker that has gone
   * @throws AwsError ActivityDoesNotExist
   */
  async poll(
    arn: string,
    workerName: string | undefined,
    signal: AbortSignal,
  ): Promise<{ taskToken?: string; input?: string }> {
    this.required(arn);
    const task = this.#tasks.get(arn)?.shift() ?? (await this.#wait(arn, signal));
    if (!task) return {};
    task.take(workerName);
    return { taskToken: task.token, input: task.input };
  }

  /** Sends all workers away. */
  close(): void {
    for (const worker of [...this.#workers.values()].flat()) worker(undefined);
    this.#workers.clear();
  }

  #wait(arn: string, signal: AbortSignal): Promise<WaitingTask | undefined> {
    return new Promise((resolve) => {
      const worker: Worker = (task) => {
        timer.cancel();
        signal.removeEventListener('abort', leave);
        resolve(task);
      };
      const leave = (): void => {
        this.#workers.set(
          arn,
          (this.#workers.get(arn) ?? []).filter((other) => other !== worker),
        );
        worker(undefined);
      };
      const timer = this.#clock.setTimer(this.#clock.now() + POLL_MS, leave);
      signal.addEventListener('abort', leave);
      this.#workers.set(arn, [...(this.#workers.get(arn) ?? []), worker]);
      if (signal.aborted) leave();
    });
  }
}
