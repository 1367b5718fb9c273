/** `npm run deploy`: deploys all services, unless that would lose data. `-- --help` lists the options. */
import { runDeploy } from './deploy/index.ts';

await runDeploy();
