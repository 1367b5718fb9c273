/** `npm run audit`: checks the lock file, and lists known vulnerabilities. `-- --help` says more. */
import { runAudit } from './audit/index.ts';

await runAudit();
