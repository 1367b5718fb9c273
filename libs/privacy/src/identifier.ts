const identifierPattern = /^[\w.:#/-]{1,256}$/;

/**
 * An identifier as it may be shown in logs, errors and listings: an id, a detail-type, a trace. Texts of a foreign event
 * stand where identifiers should and may be anything, so what does not look like one (an e-mail address, a name with a
 * space, a number with a plus) is not repeated.
 *
 * @returns the text, or `(no identifier)`
 */
export function shownIdentifier(text: unknown): string {
  return typeof text === 'string' && identifierPattern.test(text) ? text : '(no identifier)';
}
