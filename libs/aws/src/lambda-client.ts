/**
 * This module takes the place of `@aws-sdk/client-lambda` in bundles, see `alias` in serverless.common.yml. The SDK of durable functions
 * reads and stores their state by these three, and the SDK's client is 530 KB. Another operation that a function imports from there fails
 * the build: take it from `@millrace/aws`.
 */
import * as ours from './lambda.ts';

/** @public */
export const { CheckpointDurableExecutionCommand, GetDurableExecutionStateCommand } = ours;

/** @public */
export class LambdaClient {
  readonly send: ours.Lambda['send'];

  constructor() {
    this.send = ours.lambda().send;
  }
}
