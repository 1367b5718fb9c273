/** `npm run sweep`: finds stored events that were never emitted, and has them emitted. `-- --help` lists the options. */
import { runSweep } from './sweep/index.ts';

await runSweep();
