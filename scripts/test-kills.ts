/** `npm run test:kills`: kills the local cloud again and again under load, and checks that nothing is lost or done twice. */
import { runTestKills } from './test-kills/index.ts';

await runTestKills();
