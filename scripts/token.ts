/** `npm run token`: prints a token for the HTTP APIs of a running `npm start`. `-- --help` lists the options. */
import { runToken } from './token/index.ts';

await runToken();
