export { callStep, type StepHandler } from './call-step.ts';
export { errorOf } from './error-of.ts';
export { eventually } from './eventually.ts';
export { specify } from './given-when-then.ts';
export {
  type AuthorizedRequest,
  consumerSettings,
  consumerVariables,
  fifoRecord,
  httpRequest,
  insertRecord,
  kinesisEvent,
  lambdaContext,
  sqsEvent,
  sqsRecord,
  streamEvent,
} from './lambda-events.ts';
export { RecordingClient } from './recording-client.ts';
export { envelopeText, sampleEvent } from './sample-event.ts';
export { SqsQueue } from './sqs-queue.ts';
