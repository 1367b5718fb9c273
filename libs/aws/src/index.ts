export { marshall, unmarshall } from './attribute-value.ts';
export type { ClientOptions } from './aws-client.ts';
export {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  type DocumentClient,
  documentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  paginateScan,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from './document-client.ts';
export { AwsError, ConditionalCheckFailedException, TransactionCanceledException } from './errors.ts';
export { type EventBridge, eventBridge, PutEventsCommand } from './event-bridge.ts';
export { type Kinesis, kinesis, PutRecordsCommand } from './kinesis.ts';
export { GenerateMacCommand, type Kms, kms } from './kms.ts';
export {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  InvokeCommand,
  type Lambda,
  ListDurableExecutionsByFunctionCommand,
  lambda,
  paginateDurableExecutionHistory,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from './lambda.ts';
export { CreateScheduleCommand, DeleteScheduleCommand, type Scheduler, scheduler } from './scheduler.ts';
export {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type Sqs,
  sqs,
} from './sqs.ts';
export {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  type StepFunctions,
  stepFunctions,
} from './step-functions.ts';
export { httpTransport, processTransport, type Transport } from './transport.ts';
