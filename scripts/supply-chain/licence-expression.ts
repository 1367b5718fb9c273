/** What a package may be used under: one licence, any of several, or all of several together. */
export type LicenceExpression = string | { operator: 'OR' | 'AND'; of: readonly LicenceExpression[] };

/**
 * Reads an SPDX licence expression; a licence with an exception (`GPL-2.0-only WITH Classpath-exception-2.0`) counts as one.
 * @returns undefined when the text is not an expression, like `SEE LICENSE IN terms.txt`
 * https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function parseLicence(text: string): LicenceExpression | undefined {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let position = 0;
  const take = (wanted: RegExp): string | undefined => {
    const token = tokens[position];
    if (token === undefined || !wanted.test(token)) return undefined;
    position += 1;
    return token;
  };

  const list = (operator: 'OR' | 'AND', operand: () => LicenceExpression | undefined) => {
    const of: LicenceExpression[] = [];
    do {
      const next = operand();
      if (next === undefined) return undefined;
      of.push(next);
    } while (take(new RegExp(`^${operator}$`)));
    return of.length === 1 ? of[0] : { operator, of };
  };
  const either = (): LicenceExpression | undefined => list('OR', both);
  const both = (): LicenceExpression | undefined => list('AND', single);
  const single = (): LicenceExpression | undefined => {
    if (take(/^\($/)) {
      const inner = either();
      return take(/^\)$/) ? inner : undefined;
    }
    const licence = take(/^(?!(OR|AND|WITH)$)[\w.:-]+\+?$/);
    if (licence === undefined || !take(/^WITH$/)) return licence;
    const exception = take(/^[\w.-]+$/);
    return exception === undefined ? undefined : `${licence} WITH ${exception}`;
  };

  const expression = either();
  return position === tokens.length ? expression : undefined;
}

/** Whether every licence of some choice that the expression leaves is allowed. */
export function isAllowed(expression: LicenceExpression, allowed: ReadonlySet<string>): boolean {
  if (typeof expression === 'string') return allowed.has(expression);
  const { operator, of } = expression;
  return operator === 'OR' ? of.some((each) => isAllowed(each, allowed)) : of.every((each) => isAllowed(each, allowed));
}
