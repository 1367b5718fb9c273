/** `npm run catalogue`: lists every event with its producer and its consumers. `-- --help` lists the options. */
import { runCatalogue } from './catalogue/index.ts';

await runCatalogue();
