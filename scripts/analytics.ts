/** `npm run analytics`: asks the lake of analytics events. `-- --help` lists the options. */
import { runAnalytics } from './analytics/index.ts';

await runAnalytics();
