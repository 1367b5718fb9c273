/** `npm run cost`: what orders cost on AWS, counted from a run on this machine. `-- --help` lists the options. */
import { runCost } from './cost/index.ts';

await runCost();
