import TestSequencer from '@jest/test-sequencer';

/** Suites of a running system: for much of their time they wait for what other processes do. */
const ofRunningSystem = ({ path }) =>
  ['end-to-end', 'roles', 'hostile', 'cost'].some((folder) => path.includes(`/test/${folder}/`));

/** How long a suite takes that has not been run here yet, roughly, in ms. */
const usualDuration = (test) => (ofRunningSystem(test) ? 20_000 : 1_500);

/**
 * The order in which Jest's workers take the suites: of each kind the longest first, so that no worker is left with one of
 * them when the others are done, and beside a suite of a running system one that keeps the processor busy as long as there is
 * one. Two that wait at the same time would leave the processor idle, and two that are busy with their runtimes would wait for
 * each other.
 * https://jestjs.io/docs/configuration#testsequencer-string
 */
export default class SuiteOrder extends TestSequencer {
  #workers;

  constructor(options) {
    super(options);
    this.#workers = options.globalConfig.maxWorkers;
  }

  sort(tests) {
    const { running = [], other = [] } = Object.groupBy(super.sort(tests), (test) =>
      ofRunningSystem(test) ? 'running' : 'other',
    );
    const order = [];
    /** When each worker will be done with what it has been given so far, and whether that is of a running system. */
    const workers = Array.from({ length: this.#workers }, () => ({ doneAt: 0, runs: false }));
    while (running.length + other.length > 0) {
      const worker = workers.reduce((first, each) => (each.doneAt < first.doneAt ? each : first));
      const underWay = workers.filter((each) => each !== worker && each.runs).length;
      const turn = other.length === 0 || (running.length > 0 && underWay < this.#workers / 2) ? running : other;
      const test = turn.shift();
      order.push(test);
      worker.doneAt += test.duration ?? usualDuration(test);
      worker.runs = turn === running;
    }
    return order;
  }
}
