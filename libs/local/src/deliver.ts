/** Delivers a payload to a target of another service: a queue, a topic, a function or a bus. */
export type Deliver = (targetArn: string, payload: string, options: DeliverOptions) => Promise<void>;

export interface DeliverOptions {
  /** Who delivers: the principal and the `aws:SourceArn` that the target's policy is asked about. */
  sender: { service: string; sourceArn: string };
  messageAttributes?: Record<string, MessageAttribute> | undefined;
  /** Of a FIFO queue. */
  messageGroupId?: string | undefined;
  messageDeduplicationId?: string | undefined;
}

/** As SQS and SNS have it. */
export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** In base64. */
  BinaryValue?: string;
}

/** Whether it is of use to try a delivery again. Errors say so with `retryable: false`, as DeliveryError does. */
export function isRetryable(error: unknown): boolean {
  return !(error instanceof Error && 'retryable' in error && error.retryable === false);
}
