/** `npm run remove`: removes the services of a stage. `-- --help` lists the options. */
import { runRemove } from './remove/index.ts';

await runRemove();
