/** `npm run test:disk-full`: fills the disk of the local cloud under load, and checks that nothing is lost or done twice. */
import { runTestDiskFull } from './test-disk-full/index.ts';

await runTestDiskFull();
