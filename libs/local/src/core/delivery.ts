/** Why something did not reach a target. */
export class DeliveryError extends Error {
  /** One of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html, e.g. `NO_RESOURCE`. */
  readonly code: string;
  /** False where trying again cannot help: the target is missing, or may not be called. */
  readonly retryable: boolean;
  /** Milliseconds that the target wants to be left alone for. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, retryable: boolean, retryAfter?: number) {
    super(message);
    this.name = 'DeliveryError';
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
  }
}

/**
 * Who delivers: a service of AWS for a resource, by the target's policy or, with `roleArn`, by a role that it assumes; or Lambda
 * with the role of a function.
 */
export type Sender = ServiceSender | { readonly functionName: string };

export interface ServiceSender {
  /** e.g. `events.amazonaws.com` */
  readonly service: string;
  /** What it works for, e.g. a rule. */
  readonly sourceArn: string;
  readonly roleArn?: string | undefined;
}

/** An attribute of a message, as SQS and SNS have it. */
export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** In base64. */
  BinaryValue?: string;
}

/** @example textAttribute('NO_RESOURCE') // { DataType: 'String', StringValue: 'NO_RESOURCE' } */
export function textAttribute(StringValue: string): MessageAttribute {
  return { DataType: 'String', StringValue };
}

export interface DeliverOptions {
  sender: Sender;
  messageAttributes?: Readonly<Record<string, MessageAttribute>> | undefined;
  /** Of a FIFO queue. */
  messageGroupId?: string | undefined;
  messageDeduplicationId?: string | undefined;
  /** Of a Kinesis stream. */
  partitionKey?: string | undefined;
  /** X-Ray's: the system attribute AWSTraceHeader. */
  traceHeader?: string | undefined;
  /** Of a notification. */
  subject?: string | undefined;
  /** Of an API destination. */
  httpParameters?: HttpTargetParameters | undefined;
  /** When the sender gives up, in milliseconds since the epoch. */
  deadline?: number | undefined;
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_HttpParameters.html */
export interface HttpTargetParameters {
  readonly PathParameterValues?: readonly string[];
  readonly HeaderParameters?: Readonly<Record<string, string>>;
  readonly QueryStringParameters?: Readonly<Record<string, string>>;
}

/**
 * Delivers a payload to a queue, a topic, a function or whatever else can be a target. Lambda counts it as delivered once it has
 * accepted the event.
 *
 * @throws DeliveryError with the code EventBridge gives: not to be retried when the target does not exist, may not be used or
 *   refuses the payload
 * @example
 * await host.deliver(queueArn, body, { sender: { service: 'events.amazonaws.com', sourceArn: ruleArn } });
 */
export type Deliver = (targetArn: string, payload: string, options: DeliverOptions) => Promise<void>;

/** The service that an ARN is of. */
export function serviceOfArn(arn: string): string {
  return arn.split(':')[2] ?? '';
}

/**
 * How a service takes what rules, pipes, schedules, alarms and destinations deliver.
 * @throws DeliveryError; AwsError as the service answers it
 */
export type Delivery = (targetArn: string, payload: string, options: DeliverOptions) => Promise<void>;

/** False for an error that says itself that another attempt cannot help, as DeliveryError does. */
export function isRetryable(error: unknown): boolean {
  return !(error instanceof Error && 'retryable' in error && error.retryable === false);
}
