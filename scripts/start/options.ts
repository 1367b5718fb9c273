import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readArguments, readEndpoint, readNumber, readStage, UsageError } from '@millrace/command-line';
import type { Fault } from '@millrace/local';

export const HELP = `Runs all services on this machine, from the templates that would deploy to AWS.

Usage: npm start -- [options]

  --api-port <port>           port of the services' HTTP APIs (3000; 0 for any free one)
  --aws-port <port>           port of the AWS APIs, for any SDK or the AWS CLI (4566; 0 for any free one)
  --data-dir <directory>      keep tables, queues and buckets there across restarts (default: forget them)
  --cache-dir <directory>     keep packages and compiled code there, e.g. for a checkout that is read-only (.millrace/cache)
  --stage <name>              stage to package for (dev)
  --service <directory>       another service to run, besides those in services/; may be repeated
  --dynamodb-endpoint <url>   use this DynamoDB instead of the embedded one
  --faults <list>             have DynamoDB refuse what AWS would, separated by commas: conflicts (a transaction takes some
                              milliseconds, and others that want its items are refused), throttling (capacity has limits)
  --allow-host <name>         let API destinations of EventBridge send to this host over HTTPS, besides this machine; may be repeated
  --alarm-period <seconds>    evaluate every alarm over periods this long, not the templates' (to see them change sooner). Alarms that
                              expect something every few minutes, such as …-sweep-time-limits-stopped, go off then in between
  --shuffle                   let standard queues reorder messages and deliver some twice, as they may on AWS
  --seed <number>             with --shuffle: the choices of an earlier run (default: any)
  --shared                    let the functions of a service share a thread: a third less memory or more. Their memory limits have no effect
                              then, code that has timed out is not stopped, and globals are seen by all of them
  --cold                      start no function before its first call: less memory, but the first order takes seconds
  --verbose                   show every line that functions log, not only warnings and errors
  --raw                       show log lines as the functions write them, as JSON
  --ready-file <path>         when ready, write {"apiUrl", "awsUrl", "issuerUrl", "pid"} there as JSON
  --help                      show this
`;

export type StartOptions = ReturnType<typeof readOptions>;

/** @throws UsageError that names the option and what it must be */
export function readOptions() {
  const { values } = readArguments({
    options: {
      'api-port': { type: 'string', default: '3000' },
      'aws-port': { type: 'string', default: '4566' },
      'data-dir': { type: 'string' },
      'cache-dir': { type: 'string' },
      stage: { type: 'string', default: 'dev' },
      service: { type: 'string', multiple: true, default: [] },
      'dynamodb-endpoint': { type: 'string' },
      'allow-host': { type: 'string', multiple: true, default: [] },
      faults: { type: 'string' },
      'alarm-period': { type: 'string' },
      shuffle: { type: 'boolean', default: false },
      seed: { type: 'string' },
      shared: { type: 'boolean', default: false },
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
    shuffle: readShuffle(values.shuffle, values.seed),
    faults: readFaults(values.faults),
    stage: readStage(values.stage),
    readyFile: readReadyFile(values['ready-file']),
  };
}

function readPort(flag: string, value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new UsageError(`--${flag} must be a port from 0 to 65535, not "${value}"`);
}

/** @throws UsageError for a seed without `--shuffle`, which would do nothing */
function readShuffle(shuffle: boolean, seed: string | undefined): { seed: number } | undefined {
  const given = readNumber('seed', seed, { minimum: 0, whole: true });
  if (shuffle) return { seed: given ?? randomInt(1_000_000) };
  if (given === undefined) return undefined;
  throw new UsageError('--seed is for --shuffle: give both');
}

const FAULTS: readonly Fault[] = ['conflicts', 'throttling'];

function readFaults(value: string | undefined): Fault[] {
  return (value ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const fault = FAULTS.find((each) => each === name);
      if (fault) return fault;
      throw new UsageError(`--faults must be some of ${FAULTS.join(', ')}, not "${name}"`);
    });
}

/** @throws UsageError for a file in a folder that does not exist: a program that waits for the file would wait for ever */
function readReadyFile(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const path = resolve(value);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new UsageError(`--ready-file must be in a folder that exists: there is no ${dirname(path)}`);
}
