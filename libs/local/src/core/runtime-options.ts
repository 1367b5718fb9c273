import type { AlarmChange, FunctionLogLine } from './observations.ts';
import type { Usage } from './usage.ts';

/** `conflicts`: a transaction takes some milliseconds, and others that want its items are refused. `throttling`: capacity has limits. */
export type Fault = 'conflicts' | 'throttling';

/** What a runtime is started with. */
export interface RuntimeOptions {
  /** Directories of services of one workspace, each with a serverless.yml. */
  services: string[];
  /** `dev` unless given. */
  stage?: string;
  /** `us-east-1` unless given. */
  region?: string;
  /** Port of the HTTP APIs; 0 for any free one. */
  apiPort: number;
  /** Port of the AWS APIs; 0 for any free one. */
  awsPort: number;
  /** Where tables, queues and messages are kept across restarts; without one they end with the runtime. */
  dataDirectory?: string | undefined;
  /** Where packages and compiled code are cached; `.millrace/cache` of the workspace unless given. */
  cacheDirectory?: string | undefined;
  /** A DynamoDB to use instead of the embedded one. */
  dynamodbEndpoint?: string | undefined;
  /** What goes wrong as it does at AWS, and does not otherwise because nothing takes any time here. */
  faults?: readonly Fault[] | undefined;
  /** Containers that each function may have at once; as many as there are cores, and at least two, unless given. */
  functionConcurrency?: number | undefined;
  /**
   * Lets the functions of a service share a thread, which takes less memory. Each keeps its environment, its log and the state of its
   * modules; its memory limit has no effect, and code that has timed out is not stopped.
   */
  sharedThreads?: boolean | undefined;
  /** Starts no function before its first call, as on AWS; otherwise each gets a container ahead. */
  coldFunctions?: boolean | undefined;
  /** Replaces the period of every CloudWatch alarm, in seconds. */
  alarmPeriod?: number | undefined;
  /** Hosts besides this machine that API destinations may send to, over HTTPS. */
  allowedHosts?: readonly string[] | undefined;
  /**
   * Makes standard queues reorder messages and deliver some of them twice, as AWS may; the same seed makes the same choices.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
   */
  shuffle?: { seed: number } | undefined;
  /** Counts what the functions use, as AWS would bill it; nothing is counted, and nothing takes longer, without one. */
  usage?: Usage | undefined;
  /** What the start is doing. */
  onProgress?: (line: string) => void;
  /** Something that works differently than the templates say, something that is not allowed, or an event that is lost. */
  onWarning?: (line: string) => void;
  /** What stands in the functions' log groups: what they write, and what Lambda says about errors, timeouts and exits. */
  onFunctionLog?: (line: FunctionLogLine) => void;
  /** A CloudWatch alarm has changed its state. */
  onAlarm?: (change: AlarmChange) => void;
}
