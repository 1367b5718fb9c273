import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A line of /proc/<pid>/stat. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
interface ProcessStat {
  pid: number;
  /** Z: it has ended, and its parent has not waited for it yet. */
  state: string;
  parent: number;
  /** In ticks after the system's start: with the pid, it names the process for ever. */
  started: number;
  /** Ticks of its own, and of the children that it has waited for. */
  own: number;
  waited: number;
}

interface Tracked extends ProcessStat {
  /** Its parent has ended before it, so nobody adds its time to that of anything else. */
  isOrphan: boolean;
}

const TICKS_PER_SECOND = 100;

/**
 * CPU time of everything that a process has started. The kernel adds the time of a child to its parent's when the parent waits for it.
 * What has lost its parent has to be looked at while it runs: the local cloud of a Jest worker ends after the worker.
 */
export class ProcessTree {
  readonly #root: number;
  readonly #tracked = new Map<number, Tracked>();
  readonly #waitedBefore: number;

  /** @param root the process whose descendants are measured, usually this one */
  constructor(root: number) {
    this.#root = root;
    this.#waitedBefore = readStat(root)?.waited ?? 0;
  }

  /** Looks at all descendants. @returns how many run */
  sample(): number {
    const stats = readAll();
    const parents = new Map(stats.map((stat) => [stat.pid, stat.parent]));
    const isBelow = (pid: number): boolean => {
      for (let id: number | undefined = parents.get(pid); id !== undefined && id > 1; id = parents.get(id)) {
        if (id === this.#root || this.#isTracked(stats, id)) return true;
      }
      return false;
    };
    let running = 0;
    for (const stat of stats) {
      const known = this.#tracked.get(stat.pid);
      const isKnown = known?.started === stat.started;
      const hasParent = isBelow(stat.pid);
      if (stat.pid === this.#root || (!isKnown && !hasParent)) continue;
      if (stat.state !== 'Z') running += 1;
      this.#tracked.set(stat.pid, { ...stat, isOrphan: !hasParent });
    }
    return running;
  }

  /** Seconds so far of what has ended, and of what has lost its parent; undefined without /proc. */
  seconds(): number | undefined {
    const root = readStat(this.#root);
    if (!root) return undefined;
    const orphans = [...this.#tracked.values()].filter(({ isOrphan }) => isOrphan);
    const ticks = orphans.reduce((sum, { own, waited }) => sum + own + waited, root.waited - this.#waitedBefore);
    return ticks / TICKS_PER_SECOND;
  }

  #isTracked(stats: readonly ProcessStat[], pid: number): boolean {
    const started = stats.find((stat) => stat.pid === pid)?.started;
    return started !== undefined && this.#tracked.get(pid)?.started === started;
  }
}

function readAll(): ProcessStat[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []));
}

/** @returns undefined when there is no such process, or no /proc */
function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name before it is in brackets, and may hold anything.
  const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const fields = [Number.NaN, ...rest.map(Number)];
  const [, parent = 0] = fields;
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { pid, state, parent, started: fields[19] ?? 0, own: utime + stime, waited: cutime + cstime };
}
