/** `npm run replay`: sends archived events to the bus again. `-- --help` lists the options. */
import { runReplay } from './replay/index.ts';

await runReplay();
