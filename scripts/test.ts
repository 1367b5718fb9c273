/** `npm test`: units, templates and one pass over every flow, by Jest, whose arguments it takes. */
import { runTest } from './test/index.ts';

await runTest();
