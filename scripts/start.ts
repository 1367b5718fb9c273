/**
 * `npm start`: runs every service on this machine from the templates that would deploy. `npm start -- --help` lists what
 * can be set.
 */
import { writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
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
import { serviceDirectories } from '@millrace/events/catalogue';
import { formatFunctionLog, PortTakenError, type Runtime, requestToken, startRuntime } from '@millrace/local';

const HELP = `Runs all services on this machine, from the templates that would deploy to AWS.

Usage: npm start -- [options]

  --api-port <port>           port of the services' HTTP APIs (3000; 0 for any free one)
  --aws-port <port>           port of the AWS APIs, for any SDK or the AWS CLI (4566; 0 for any free one)
  --data-dir <directory>      keep tables, queues and buckets there across restarts (default: forget them)
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

const EXAMPLE_ORDER = JSON.stringify({
  customer: { name: 'Ada Example', email: 'ada@example.com' },
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
  };
}

function readPort(flag: string, value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new UsageError(`--${flag} must be a port from 0 to 65535, not "${value}"`);
}

let runtime: Runtime | undefined;
let stoppingSince: number | undefined;

/** Stops everything and ends with the exit code. Again within a second is the same wish, later it is impatience. */
async function shutDown(exitCode: number): Promise<void> {
  const now = performance.now();
  if (stoppingSince !== undefined) {
    // npm passes Ctrl-C on to a process that has already had it from the terminal.
    if (now - stoppingSince > 1_000) process.exit(130);
    return;
  }
  stoppingSince = now;
  if (exitCode === 0) console.log('\nStopping');
  try {
    await runtime?.stop();
  } catch (error) {
    console.error(`Could not stop cleanly: ${(error as Error).message}`);
    process.exit(1);
  }
  process.exit(exitCode);
}

process.on('SIGINT', () => void shutDown(0));
process.on('SIGTERM', () => void shutDown(0));
// Whoever forked this process has ended.
process.on('disconnect', () => void shutDown(0));
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    console.error(error);
    void shutDown(1);
  });
}

function whyNot(error: unknown, apiPort: number): string {
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
        void shutDown(1);
      },
    });
  } catch (error) {
    console.error(`Cannot start: ${whyNot(error, options.apiPort)}`);
    process.exit(1);
  }
  if (stoppingSince !== undefined) {
    await runtime.stop();
    process.exit(0);
  }

  await Promise.race([runtime.warm, delay(WARM_WITHIN_MS, undefined, { ref: false })]);
  const { apiUrl, awsUrl, issuerUrl, functionNames } = runtime;
  const [customer, staff] = await Promise.all([
    requestToken(issuerUrl, {
      subject: 'customer-1',
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
  const readyFile = options['ready-file'];
  if (readyFile !== undefined) {
    // Written beside and renamed: whoever waits for the file never reads half of it.
    writeFileSync(`${readyFile}.draft`, JSON.stringify({ apiUrl, awsUrl, issuerUrl, pid: process.pid }));
    await rename(`${readyFile}.draft`, readyFile);
  }
}

await runCommand('start', async () => {
  const options = readOptions();
  if (options.help) process.stdout.write(HELP);
  else await start(options);
  return 0;
});
