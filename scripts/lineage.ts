/** `npm run lineage`: shows what an API call led to, and where it stopped. `-- --help` lists the options. */
import { runLineage } from './lineage/index.ts';

await runLineage();
