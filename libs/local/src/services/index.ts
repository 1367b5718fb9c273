import type { AwsService } from '../core/service.ts';
import { athena } from './athena/index.ts';
import { cloudFormation } from './cloudformation/index.ts';
import { cloudWatch } from './cloudwatch/index.ts';
import { dynamodb } from './dynamodb/index.ts';
import { events } from './events/index.ts';
import { firehose } from './firehose/index.ts';
import { glue } from './glue/index.ts';
import { httpApi } from './http-api/index.ts';
import { issuer } from './issuer/index.ts';
import { kinesis } from './kinesis/index.ts';
import { kms } from './kms/index.ts';
import { lambda } from './lambda/index.ts';
import { logs } from './logs/index.ts';
import { pipes } from './pipes/index.ts';
import { s3 } from './s3/index.ts';
import { scheduler } from './scheduler/index.ts';
import { ses } from './ses/index.ts';
import { sns } from './sns/index.ts';
import { sqs } from './sqs/index.ts';
import { ssm } from './ssm/index.ts';
import { states } from './states/index.ts';
import { sts } from './sts/index.ts';

/**
 * The services of the local cloud, each after those whose handles it uses. They are started in this order and stopped in reverse.
 * A new service is one line here.
 */
export const services: readonly AwsService[] = [
  sqs,
  sts,
  sns,
  s3,
  dynamodb,
  kinesis,
  kms,
  ssm,
  ses,
  cloudFormation,
  cloudWatch,
  logs,
  events,
  lambda,
  firehose,
  glue,
  athena,
  states,
  pipes,
  scheduler,
  issuer,
  httpApi,
];
