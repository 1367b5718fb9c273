/**
 * `npm start`: runs every service on this machine from the templates that would deploy. `npm start -- --help` lists what
 * can be set.
 */
import { statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  explain,
  readArguments,
  readEndpoint,
  readNumber,
  readStage,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import {
  FolderError,
  formatFunctionLog,
  PortTakenError,
  type Runtime,
  requestToken,
  startRuntime,
} from '@millrace/local';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { onProcessEnd } from './start/process-end.ts';

const HELP = `Runs all services on this machine, from the templates that would deploy to AWS.

Usage: npm start -- [options]

  --api-port <port>           port of the services' HTTP APIs (3000; 0 for any free one)
  --aws-port <port>           port of the AWS APIs, for any SDK or the AWS CLI (4566; 0 for any free one)
  --data-dir <directory>      keep tables, queues and buckets there across restarts (default: forget them)
  --cache-dir <directory>     keep packages and compiled code there, e.g. for a checkout that is read-only (.millrace/cache)
  --stage <name>              stage to package for (dev)
  --service <directory>       another service to run, besides those in services/; may be repeated
  --dynamodb-endpoint <url>   use this DynamoDB instead of starting one
  --alarm-period <seconds>    evaluate every alarm over periods this long, not the templates' (to see them change sooner)
  --cold                      start no function before its first call: less memory, but the first order takes seconds
  --verbose                   show every line that functions log, not only warnings and errors
  --raw                       show log lines as the functions write them, as JSON
  --ready-file <path>         when ready, write {"apiUrl", "awsUrl", "issuerUrl", "pid"} there as JSON
  --help                      show this
`;

/** Where the customer of the printed token can be reached: at some stages orders take verified addresses alone. */
const VERIFIED = { email: 'ada@example.com', phone: '+4915112345678' };

const EXAMPLE_ORDER = JSON.stringify({
  customer: { name: 'Ada Example', email: VERIFIED.email },
  shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  currency: 'EUR',
  lines: [{ sku: 'MUG-1', quantity: 1, unitPrice: 1290 }],
  paymentToken: 'tok_approved',
});

/** How long the printed tokens are good, in seconds: a working day. */
const TOKENS_EXPIRE_IN = 8 * 3600;

const STAFF_SCOPE = 'stock:read stock:write orders:read orders:read:all reports:read events:read';

/** How long the first containers are waited for, in ms: after that they get ready while the first order comes in. */
const WARM_WITHIN_MS = 3_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const startedAt = performance.now();

function readOptions() {
  const { values } = readArguments({
    options: {
      'api-port': { type: 'string', default: '3000' },
      'aws-port': { type: 'string', default: '4566' },
      'data-dir': { type: 'string' },
      'cache-dir': { type: 'string' },
      stage: { type: 'string', default: 'dev' },
      service: { type: 'string', multiple: true, default: [] },
      'dynamodb-endpoint': { type: 'string' },
      'alarm-period': { type: 'string' },
      cold: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      raw: { type: 'boolean', default: false },
      'ready-file': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    ...values,
    apiPort: readPort('api-port', values['api-port']),
    awsPort: readPort('aws-port', values['aws-port']),
    alarmPeriod: readNumber('alarm-period', values['alarm-period'], { minimum: 1, whole: true }),
    dynamodbEndpoint: readEndpoint(values['dynamodb-endpoint'], 'dynamodb-endpoint'),
    stage: readStage(values.stage),
    readyFile: readReadyFile(values['ready-file']),
  };
}

function readPort(flag: string, value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new UsageError(`--${flag} must be a port from 0 to 65535, not "${value}"`);
}

/** @throws UsageError for a file in a folder that is not there: whoever waits for the file would wait for ever */
function readReadyFile(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const path = resolve(value);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new UsageError(`--ready-file must be in a folder that exists: there is no ${dirname(path)}`);
}

let runtime: Runtime | undefined;

const shutDown = onProcessEnd(stopAndExit);

/** Before the runtime has started there is nothing to wait for: what a start leaves behind goes with the process. */
async function stopAndExit(exitCode: number): Promise<void> {
  if (exitCode === 0) console.log('\nStopping');
  try {
    await runtime?.stop();
  } catch (error) {
    console.error(`Could not stop cleanly: ${(error as Error).message}`);
    process.exit(1);
  }
  process.exit(exitCode);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    console.error(error);
    shutDown(1);
  });
}

function explainStartError(error: unknown, apiPort: number): string {
  if (error instanceof FolderError) return `${error.message}: choose another with --${error.purpose}-dir`;
  if (!(error instanceof PortTakenError)) return explain(error);
  const flag = error.port === apiPort ? '--api-port' : '--aws-port';
  return `${error.message}: choose another with ${flag}, e.g. npm start -- ${flag} 0`;
}

async function start(options: ReturnType<typeof readOptions>): Promise<void> {
  try {
    runtime = await startRuntime({
      services: [...serviceDirectories(root), ...options.service.map((directory) => resolve(directory))],
      stage: options.stage,
      apiPort: options.apiPort,
      awsPort: options.awsPort,
      dataDirectory: options['data-dir'],
      cacheDirectory: options['cache-dir'],
      dynamodbEndpoint: options.dynamodbEndpoint,
      alarmPeriod: options.alarmPeriod,
      coldFunctions: options.cold,
      onProgress: (line) => console.log(`${line} …`),
      onWarning: (line) => console.warn(`warning: ${line}`),
      onFunctionLog: (line) => {
        const shown = formatFunctionLog(line, { verbose: options.verbose, raw: options.raw, root });
        if (shown !== undefined) console.log(shown);
      },
      onAlarm: ({ state, name, description, reason }) => {
        const meaning = state === 'ALARM' ? `: ${description}` : '';
        console.log(`${state.padEnd(6)} ${name}${meaning} (${reason})`);
      },
      onFailure: (reason) => {
        console.error(reason);
        shutDown(1);
      },
    });
  } catch (error) {
    console.error(`Cannot start: ${explainStartError(error, options.apiPort)}`);
    process.exit(1);
  }
  await Promise.race([runtime.warm, delay(WARM_WITHIN_MS, undefined, { ref: false })]);
  const { apiUrl, awsUrl, issuerUrl, functionNames } = runtime;
  const [customer, staff] = await Promise.all([
    requestToken(issuerUrl, {
      subject: 'customer-1',
      ...VERIFIED,
      scope: 'orders:read orders:write',
      expiresIn: TOKENS_EXPIRE_IN,
    }),
    requestToken(issuerUrl, { subject: 'staff-1', scope: STAFF_SCOPE, expiresIn: TOKENS_EXPIRE_IN }),
  ]);
  console.log(`
Millrace is ready: ${functionNames.length} functions after ${((performance.now() - startedAt) / 1000).toFixed(1)} s

  shop      ${apiUrl}
  AWS APIs  ${awsUrl}     e-mails and SMS: ${awsUrl}/_local/messages

A customer's token and one of the staff, good for eight hours (others: npm run -s token -- --help):

  export CUSTOMER='${customer}' STAFF='${staff}'

Try an order:

  curl -X PUT ${apiUrl}/stock/MUG-1 -H "authorization: Bearer $STAFF" -H 'content-type: application/json' -d '{"available": 10}'
  curl ${apiUrl}/orders -H "authorization: Bearer $CUSTOMER" -H 'content-type: application/json' -d '${EXAMPLE_ORDER}'
  curl ${apiUrl}/orders/<orderId of the answer> -H "authorization: Bearer $CUSTOMER"

Ctrl-C stops.`);
  if (options.readyFile !== undefined) {
    await writeReadyFile(options.readyFile, { apiUrl, awsUrl, issuerUrl, pid: process.pid });
  }
}

/** Written beside and renamed: whoever waits for the file never reads half of it. */
async function writeReadyFile(path: string, content: object): Promise<void> {
  await writeFile(`${path}.draft`, JSON.stringify(content));
  await rename(`${path}.draft`, path);
}

await runCommand('start', async () => {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  // Of an earlier start: whoever waits would take it for this one's.
  if (options.readyFile !== undefined) await rm(options.readyFile, { force: true });
  try {
    await start(options);
  } catch (error) {
    // A runtime that nobody was told of must not go on.
    console.error(explain(error));
    shutDown(1);
  }
  return 0;
});
