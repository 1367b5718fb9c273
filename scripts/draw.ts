/** `npm run draw`: draws state machines in the READMEs of their services. `-- --help` lists the options. */
import { runDraw } from './draw/index.ts';

await runDraw();
