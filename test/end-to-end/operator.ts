import type { DeadLetter } from '@millrace/dead-letters';
import {
  createClients,
  type DeadLetterCriteria,
  deadLetterFilter,
  inspect,
  readQueue,
  redrive,
  reemit,
  ruleMessageGroups,
  StageQueues,
} from '@millrace/dead-letters/operations';
import type { Lineage } from '@millrace/lineage';
import {
  askEventLog,
  type FollowedLineage,
  findLineage,
  followLineage,
  type MarkReader,
  openMarks,
} from '@millrace/lineage/operations';
import { loadProjections } from '@millrace/projections/load-projections';
import {
  type CatalogueEntry,
  findWorkspaceRoot,
  readCatalogue,
  serviceDirectories,
} from '@millrace/workspace/catalogue';
import { type RunningScript, runScript, type ScriptResult, startScript } from '../run-script.ts';
import type { System } from './system.ts';

const root = findWorkspaceRoot(import.meta.dirname);

/** The operator on call: the repository's commands, pointed at the system under test. */
export class Operator {
  readonly #clients: ReturnType<typeof createClients>;
  readonly #endpoint: readonly string[];
  readonly #findLineage: (id: string) => Promise<Lineage | undefined>;
  readonly #awsUrl: string;
  #marks: MarkReader | undefined;
  #catalogue: readonly CatalogueEntry[] | undefined;
  #queues: StageQueues | undefined;

  constructor({ awsUrl }: System) {
    this.#awsUrl = awsUrl;
    this.#clients = createClients(awsUrl);
    this.#endpoint = ['--endpoint', awsUrl];
    this.#findLineage = (id) => askEventLog('dev', awsUrl, (log) => findLineage(log, id));
  }

  /** Runs `npm run redrive -- …`. */
  redrive(...args: string[]): Promise<ScriptResult> {
    return runScript('redrive', ...args, ...this.#endpoint);
  }

  /** Starts `npm run redrive -- …` without waiting for its end. */
  startRedrive(...args: string[]): RunningScript {
    return startScript('redrive', [...args, ...this.#endpoint]);
  }

  /** Runs `npm run sweep -- …`. */
  sweep(...args: string[]): Promise<ScriptResult> {
    return runScript('sweep', ...args, ...this.#endpoint);
  }

  /** Runs `npm run replay -- …`. */
  replay(...args: string[]): Promise<ScriptResult> {
    return runScript('replay', ...args, ...this.#endpoint);
  }

  /** Runs `npm run lineage -- …`. */
  lineage(...args: string[]): Promise<ScriptResult> {
    return runScript('lineage', ...args, ...this.#endpoint);
  }

  /**
   * What `npm run lineage` finds out about an id, without a process.
   * @throws Error when the log knows nothing of it
   */
  async follow(id: string): Promise<{ lineage: Lineage; followed: FollowedLineage }> {
    const lineage = await this.#findLineage(id);
    if (!lineage) throw new Error(`The log has nothing of ${id}`);
    const { sqs, now } = this.#clients;
    this.#catalogue ??= await readCatalogue(root);
    const queues = await StageQueues.load(sqs, 'dev');
    this.#marks ??= openMarks('dev', this.#awsUrl, await loadProjections(serviceDirectories(root)));
    const readEvent = (event: string) => askEventLog('dev', this.#awsUrl, (log) => log.find(event));
    const look = { marks: this.#marks, readEvent, startedAt: now() };
    const followed = await followLineage(sqs, queues, lineage, this.#catalogue, look);
    return { lineage, followed };
  }

  /** The letters of a queue that are meant, as `npm run redrive -- inspect` finds them, without a process for each look. */
  async inspect(queue: string, criteria: DeadLetterCriteria = {}): Promise<DeadLetter[]> {
    const { sqs, now } = this.#clients;
    const startedAt = now();
    // All of them only once: half a hundred requests, and tests look again and again.
    this.#queues ??= await StageQueues.load(sqs, 'dev');
    const { url } = this.#queues.find(queue);
    const stageQueue = await readQueue(sqs, url);
    if (!stageQueue) throw new Error(`${url} is gone`);
    const letters: DeadLetter[] = [];
    await inspect(sqs, stageQueue, { select: deadLetterFilter(criteria, startedAt), startedAt }, (letter) => {
      letters.push(letter);
    });
    return letters;
  }

  /**
   * What `npm run redrive -- redrive` or `-- reemit` does to the letters of a queue that are meant, without a process.
   *
   * @returns what became of them, each with how many
   * @throws Error when nothing is meant, or a letter is in two places afterwards
   */
  async putBack(
    way: 'redrive' | 'reemit',
    queue: string,
    criteria: DeadLetterCriteria = {},
  ): Promise<[string, number][]> {
    const { sqs, lambda, events, now } = this.#clients;
    const startedAt = now();
    const queues = await StageQueues.load(sqs, 'dev');
    const select = deadLetterFilter(criteria, startedAt);
    const operation = { sqs, queues, queue: queues.find(queue), select, startedAt };
    const { outcomes, failed, problem } =
      way === 'redrive' ? await redrive(operation, ruleMessageGroups(events)) : await reemit(operation, lambda);
    if (failed > 0 || problem !== undefined || outcomes.length === 0) {
      throw new Error(`${way} of ${queue}: ${problem}, ${JSON.stringify(outcomes)}`);
    }
    return outcomes.map(({ text, count }) => [text, count]);
  }

  /**
   * The letters that are still in a queue although all were put back. SQS may deliver a deleted letter once more. So if any are
   * there, they are put back once more; a letter that was not deleted is there even then.
   */
  async leftIn(queue: string, putBack: () => Promise<unknown>): Promise<DeadLetter[]> {
    if ((await this.inspect(queue)).length > 0) await putBack();
    return this.inspect(queue);
  }
}
