/** `npm run test:roles`: mutation-tests the IAM roles, one statement at a time. `-- --help` lists the options. */
import { runTestRoles } from './test-roles/index.ts';

await runTestRoles();
