/** `npm start`: runs every service on this machine, from the templates that would deploy. `-- --help` lists the options. */
import { runStart } from './start/index.ts';

await runStart();
