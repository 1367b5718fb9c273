/**
 * An error answer of an AWS API. The JSON protocols carry it as `{"__type": code, "message": message}` with the HTTP status.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Members of the error beside its message, by their names in the API reference. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param code the error's name in the service's API reference, e.g. `ResourceNotFoundException`
   * @param status the HTTP status, 400 unless given: the caller's mistake
   * @param details e.g. `{ Reason: 'CallerRateLimitExceeded' }`
   */
  constructor(
    code: string,
    message: string,
    status = 400,
    details: AwsError['details'] = {},
    headers: AwsError['headers'] = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}
