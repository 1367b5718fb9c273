import TestSequencer from '@jest/test-sequencer';
import { suiteOrder } from './suite-order.ts';

/** https://jestjs.io/docs/configuration#testsequencer-string */
export default class Sequencer extends TestSequencer {
  #workers;

  constructor(options) {
    super(options);
    this.#workers = options.globalConfig.maxWorkers;
  }

  sort(tests) {
    return suiteOrder(super.sort(tests), this.#workers);
  }
}
