import { PermanentError } from '@millrace/errors';

/**
 * The codes of this service. Each is the reason of a dead letter.
 * @public
 */
export const errorCodes = {
  MALFORMED_ORDER: 'The message is not JSON, or a string in it is not valid Unicode.',
  INVALID_ORDER: 'The order breaks the format, the agreement with the partner, or what the shop asks of every order.',
  ORDER_NUMBER_REUSED: 'The partner has sent another order under this number before.',
  ORDER_REPEATED_LATE:
    'The partner sent this order more than 29 days ago: whether it was carried out may be forgotten.',
} as const;

/** The message is not an order at all. */
export class MalformedOrderError extends PermanentError {
  constructor(reason: string) {
    super('MALFORMED_ORDER', `Not an order: ${reason}`);
  }
}

/** One thing that is wrong with an order. */
export interface OrderIssue {
  /** In the partner's words, e.g. `items.0.pieces`. */
  path: string;
  message: string;
}

/** More would not fit into the attribute of a letter. */
const MAX_LISTED_ISSUES = 20;

/** The order is refused. The message names paths and expectations, never values: they may be personal data. */
export class InvalidOrderError extends PermanentError {
  readonly issues: readonly OrderIssue[];

  constructor(issues: readonly OrderIssue[]) {
    const listed = issues.slice(0, MAX_LISTED_ISSUES).map(({ path, message }) => `${path || 'order'}: ${message}`);
    const more = issues.length > MAX_LISTED_ISSUES ? `; and ${issues.length - MAX_LISTED_ISSUES} more` : '';
    super('INVALID_ORDER', `The order is not valid: ${listed.join('; ')}${more}`);
    this.issues = issues;
  }
}

/** Two orders have one number. */
export class OrderNumberReusedError extends PermanentError {
  constructor() {
    super('ORDER_NUMBER_REUSED', 'The partner has sent another order under this number: it needs a number of its own');
  }
}

/** The order comes again when its marks may have expired. */
export class OrderRepeatedLateError extends PermanentError {
  constructor() {
    super(
      'ORDER_REPEATED_LATE',
      'The order first came more than 29 days ago: whether it was carried out may be forgotten',
    );
  }
}
