/** `npm run sbom`: writes the bill of materials of what is deployed. `-- --help` says more. */
import { runSbom } from './sbom/index.ts';

await runSbom();
