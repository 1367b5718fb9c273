/** What other services may use of DynamoDB. */
export interface LocalDynamoDb {
  /** Of the database itself, past the AWS port: nothing is authorized or counted there. */
  endpoint: string;
  /** What functions use. */
  functionsUrl: string;
  /** Calls back after a request of a caller that is not a function and may have written. Functions wake streams when they end. */
  onWrite: (listener: () => void) => void;
}
