/** `npm run test:simulation`: runs the handlers of all services through simulated histories. `-- --help` lists the options. */
import { runTestSimulation } from './test-simulation/index.ts';

await runTestSimulation();
