/** `npm run test:hostile`: sends hostile inputs to a running system and checks that each is accounted for. */
import { runTestHostile } from './test-hostile/index.ts';

await runTestHostile();
