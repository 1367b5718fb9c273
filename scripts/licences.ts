/** `npm run licences`: lists the packages that are deployed, with their licences. `-- --help` says more. */
import { runLicences } from './licences/index.ts';

await runLicences();
