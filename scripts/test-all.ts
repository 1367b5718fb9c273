/** `npm run test:all`: everything that `npm test` leaves out for its length as well. `-- --help` says more. */
import { runTestAll } from './test-all/index.ts';

await runTestAll();
