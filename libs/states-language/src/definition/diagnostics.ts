import { DefinitionError } from '../failure.ts';

/** One thing that is wrong with a definition. */
export interface Diagnostic {
  readonly severity: 'ERROR';
  readonly code: string;
  readonly message: string;
  /** JSON pointer. */
  readonly location: string;
}

/** What is wrong with a definition: all of it, not only the first. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];

  add(message: string, location: string, code = 'SCHEMA_VALIDATION_FAILED'): void {
    this.list.push({ severity: 'ERROR', code, message, location: location === '' ? '/' : location });
  }

  /**
   * Computes a part of the definition, and notes why it cannot be.
   * @returns undefined where it cannot
   */
  try<Value>(location: string, compute: () => Value): Value | undefined {
    try {
      return compute();
    } catch (error) {
      if (error instanceof DefinitionError) this.add(error.message, error.location, error.code);
      else this.add(error instanceof Error ? error.message : String(error), location);
      return undefined;
    }
  }

  /** As AWS writes them into the message of InvalidDefinition. */
  toString(): string {
    return this.list.map(({ code, message, location }) => `${code}: ${message} at ${location}`).join(', ');
  }
}
