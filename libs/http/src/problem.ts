import { MillraceError } from '@millrace/errors';

/** One invalid member of a request. */
export interface ProblemError {
  /** JSON pointer into the body, e.g. `/lines/0/quantity`; or the name of a header, path or query parameter. */
  field: string;
  detail: string;
}

/** A problem document, https://www.rfc-editor.org/rfc/rfc9457 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable and machine-readable, e.g. `INVALID_REQUEST`. */
  code: string;
  /** API Gateway's id of the request, to be found in the log. */
  requestId: string;
  errors?: readonly ProblemError[];
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** An answer of 4xx or 5xx. What it says is meant for the caller: no internal names, no other party's data. */
export class HttpError extends MillraceError {
  readonly status: number;
  readonly errors: readonly ProblemError[];
  /** After how many seconds the caller may try again: the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** Further members of the problem document, https://www.rfc-editor.org/rfc/rfc9457#name-extension-members */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    errors: readonly ProblemError[] = [],
    {
      retryAfterSeconds,
      members = {},
    }: { retryAfterSeconds?: number; members?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(code, detail);
    this.status = status;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
    this.members = members;
  }

  /** What the caller is told. */
  problem(requestId: string): Problem {
    return {
      ...this.members,
      type: 'about:blank',
      title: titles[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      code: this.code,
      requestId,
      ...(this.errors.length > 0 ? { errors: this.errors } : {}),
    };
  }
}
