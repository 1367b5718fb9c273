import { PolicyError } from './policy-error.ts';
import { compileStatement, type PolicyType, type Statement } from './statement.ts';

/** A policy, compiled once and evaluated for many requests. */
export interface Policy {
  readonly type: PolicyType;
  readonly statements: readonly Statement[];
}

/**
 * Compiles a policy document.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @param document JSON text, or the value it stands for
 * @param place where the document stands, for messages
 * @throws PolicyError for anything that cannot be evaluated, with the place of it
 */
export function compilePolicy(document: unknown, type: PolicyType, place: string): Policy {
  const { Version = '2008-10-17', Statement } = readDocument(document, place);
  if (Version !== '2012-10-17' && Version !== '2008-10-17') {
    throw new PolicyError(`${place}.Version`, 'must be 2012-10-17 or 2008-10-17');
  }
  const options = { variables: Version === '2012-10-17' };
  if (Statement === undefined) throw new PolicyError(place, 'has no Statement');
  const sources: unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  return {
    type,
    statements: sources.map((source, index) => compileStatement(source, type, options, `${place}.Statement[${index}]`)),
  };
}

function readDocument(document: unknown, place: string): { Version?: unknown; Statement?: unknown } {
  let value = document;
  if (typeof document === 'string') {
    try {
      value = JSON.parse(document);
    } catch {
      throw new PolicyError(place, 'is not JSON');
    }
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new PolicyError(place, 'must be an object');
}
