import { randomUUID } from 'node:crypto';
import type { Timer } from '../../../core/clock.ts';
import type { Message } from './message.ts';
import type { MoveTaskState } from './move-task.ts';
import type { Queue, QueueSurroundings } from './queue.ts';

/** Messages that are moved before anything else gets its turn. */
const CHUNK = 100;
/** Finished tasks of a queue that are remembered. */
const KEPT_TASKS = 10;
const NO_QUEUE = 'AWS.SimpleQueueService.NonExistentQueue';

/**
 * Moves messages out of dead-letter queues: to a queue that is named, or each back to the one that it failed in.
 *
 * SQS knows where a message failed only when it moved the message itself. One that a consumer sent to the dead-letter queue has
 * no source: a task without a destination fails at it.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
export class MoveTasks {
  readonly #queues: Pick<QueueSurroundings, 'clock' | 'journal' | 'find'>;
  /** Newest first. */
  readonly #bySource = new Map<string, MoveTaskState[]>();
  readonly #timers = new Map<string, Timer>();

  constructor(queues: Pick<QueueSurroundings, 'clock' | 'journal' | 'find'>) {
    this.#queues = queues;
  }

  /** The tasks of a queue, newest first. */
  of(sourceArn: string): readonly MoveTaskState[] {
    return this.#bySource.get(sourceArn) ?? [];
  }

  get(id: string, sourceArn: string): MoveTaskState | undefined {
    return this.of(sourceArn).find((task) => task.id === id);
  }

  /** The queue must have no task that runs. */
  start(source: Queue, destinationArn: string | undefined, maxPerSecond: number | undefined): MoveTaskState {
    source.advance();
    const { visible, delayed, hidden } = source.messages.counts;
    const task: MoveTaskState = {
      id: randomUUID(),
      sourceArn: source.arn,
      destinationArn,
      maxPerSecond,
      startedAt: this.#queues.clock.now(),
      toMove: visible + delayed + hidden,
      moved: 0,
      status: 'RUNNING',
      failureReason: undefined,
    };
    this.#remember(task);
    this.#queues.journal.saveTask(task);
    this.#schedule(task);
    return task;
  }

  /** Takes back a task that was stored, and goes on with it. */
  restore(task: MoveTaskState): void {
    this.#remember(task);
    if (task.status === 'RUNNING') this.#schedule(task);
  }

  cancel(task: MoveTaskState): void {
    this.#end(task, 'CANCELLED');
  }

  /** Ends and forgets the tasks of a queue that is deleted. */
  forget(sourceArn: string): void {
    for (const task of this.of(sourceArn)) {
      this.#unschedule(task);
      this.#queues.journal.removeTask(task.id);
    }
    this.#bySource.delete(sourceArn);
  }

  /** Stops moving, without changing what the tasks are: they go on when they are restored. */
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #remember(task: MoveTaskState): void {
    const tasks = [task, ...this.of(task.sourceArn)].sort((one, other) => other.startedAt - one.startedAt);
    this.#bySource.set(task.sourceArn, tasks.slice(0, KEPT_TASKS));
    for (const { id } of tasks.slice(KEPT_TASKS)) this.#queues.journal.removeTask(id);
  }

  #schedule(task: MoveTaskState): void {
    const { maxPerSecond, startedAt, moved } = task;
    const due = maxPerSecond === undefined ? this.#queues.clock.now() : startedAt + (moved * 1000) / maxPerSecond;
    this.#timers.set(
      task.id,
      this.#queues.clock.setTimer(due, () => this.#step(task)),
    );
  }

  #step(task: MoveTaskState): void {
    const outcome = this.#moveSome(task);
    if (outcome === 'COMPLETED') this.#end(task, 'COMPLETED');
    else if (outcome !== undefined) this.#end(task, 'FAILED', outcome.failureReason);
    else {
      this.#queues.journal.saveTask(task);
      this.#schedule(task);
    }
  }

  /** @returns undefined while there is more to move */
  #moveSome(task: MoveTaskState): 'COMPLETED' | { failureReason: string } | undefined {
    const source = this.#queues.find(task.sourceArn);
    if (!source) return { failureReason: NO_QUEUE };
    const now = source.advance();
    const { maxPerSecond, startedAt } = task;
    const due =
      maxPerSecond === undefined ? CHUNK : Math.floor(((now - startedAt) * maxPerSecond) / 1000) + 1 - task.moved;
    const max = Math.min(due, CHUNK, task.toMove - task.moved);
    let failureReason: string | undefined;
    let seen = 0;
    source.messages.takeOut(max, (message) => {
      seen += 1;
      const destination = this.#destinationOf(task, message);
      if (typeof destination === 'string') {
        failureReason = destination;
        return false;
      }
      destination.acceptRedriven(message);
      task.moved += 1;
      return true;
    });
    if (failureReason !== undefined) return { failureReason };
    return task.moved >= task.toMove || (max > 0 && seen < max) ? 'COMPLETED' : undefined;
  }

  /** @returns AWS's reason when the destination is not known */
  #destinationOf(task: MoveTaskState, message: Message): Queue | string {
    const arn = task.destinationArn ?? message.deadLetterSourceArn;
    if (arn === undefined) return 'CouldNotDetermineMessageSource';
    return this.#queues.find(arn) ?? NO_QUEUE;
  }

  #end(task: MoveTaskState, status: MoveTaskState['status'], failureReason?: string): void {
    this.#unschedule(task);
    task.status = status;
    task.failureReason = failureReason;
    this.#queues.journal.saveTask(task);
  }

  #unschedule({ id }: MoveTaskState): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
  }
}
