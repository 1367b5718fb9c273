/** What the operator asked for cannot be done as it was asked; the message says what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
