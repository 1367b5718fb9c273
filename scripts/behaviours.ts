/** `npm run behaviours`: writes the tables of what the local cloud does as AWS documents it, and of what differs. `-- --help` lists the options. */
import { runBehaviours } from './behaviours/index.ts';

await runBehaviours();
