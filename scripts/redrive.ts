/** `npm run redrive`: lists what is in the dead-letter queues and why, and puts it back. `-- --help` lists the commands. */
import { runRedrive } from './redrive/index.ts';

await runRedrive();
