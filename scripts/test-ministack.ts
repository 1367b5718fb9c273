/** `npm run test:ministack`: deploys every service to MiniStack and runs the end-to-end suites there. See test/ministack/README.md. */
import { runTestMinistack } from './test-ministack/index.ts';

await runTestMinistack();
