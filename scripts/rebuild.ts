/** `npm run rebuild`: builds a read model anew from the event store. `-- --help` lists the options. */
import { runRebuild } from './rebuild/index.ts';

await runRebuild();
