import { type Condition, conditions, matchesAll } from './array-consistency.ts';
import { EventFields } from './event-fields.ts';
import { JsonArray, type JsonNode, JsonObject, type JsonValue, parseJson } from './json-document.ts';
import { compileValue, type ValueRequirement } from './value-matcher.ts';

/** A pattern that EventBridge would refuse. The message has AWS's words and the reason. */
export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError';
  /** As AWS answers it. */
  readonly code = 'InvalidEventPatternException';
}

/** An event pattern, compiled once and matched against the fields of many events. */
export class EventPattern {
  /** The pattern holds where all conditions of one alternative hold; `$or` makes more than one. */
  readonly #alternatives: readonly (readonly Condition[])[];

  /**
   * Compiles a pattern as AWS's own matching library reads it (https://github.com/aws/event-ruler).
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
   * @param pattern JSON text, or the value it stands for
   * @throws InvalidPatternError with the reason
   */
  constructor(pattern: string | object) {
    try {
      const root = parseJson(typeof pattern === 'string' ? pattern : JSON.stringify(pattern));
      if (!(root instanceof JsonObject)) throw new Error('Filter is not an object');
      this.#alternatives = addObject([new Map()], root, '', false).map(conditions);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InvalidPatternError(`Event pattern is not valid. Reason: ${reason}`, { cause: error });
    }
  }

  matches(fields: EventFields): boolean {
    return this.#alternatives.some((alternative) => matchesAll(alternative, fields));
  }
}

/**
 * Compiles a pattern to a test of parsed events. Anything but a JSON object matches nothing.
 *
 * @throws InvalidPatternError with the reason
 * @example
 * compilePattern({ source: [{ prefix: 'millrace.' }] })({ source: 'millrace.orders' }); // true
 */
export function compilePattern(pattern: string | object): (event: JsonValue) => boolean {
  const compiled = new EventPattern(pattern);
  return (event) => {
    const root = parseJson(JSON.stringify(event));
    return root instanceof JsonObject && compiled.matches(new EventFields(root));
  };
}

/** The requirements of one alternative by dotted path. */
type Alternative = Map<string, readonly ValueRequirement[]>;

const maximumAlternatives = 1000;

/** Names that AWS keeps for operators, so that they cannot be fields inside `$or`. */
const reservedInsideOr = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr'],
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
]);

/** Adds the fields of a pattern object to every alternative. A path given again replaces the earlier one, as at AWS. */
function addObject(alternatives: Alternative[], object: JsonObject, path: string, insideOr: boolean): Alternative[] {
  if (object.members.length === 0) throw new Error('Empty objects are not allowed');
  let result = alternatives;
  for (const [name, value] of object.members) {
    if (name === '$or') {
      result = addOr(result, value, path);
      continue;
    }
    if (insideOr && reservedInsideOr.has(name)) throw new Error(`${name} cannot be used as a field name inside $or`);
    const fieldPath = path === '' ? name : `${path}.${name}`;
    if (value instanceof JsonObject) result = addObject(result, value, fieldPath, insideOr);
    else if (value instanceof JsonArray) {
      if (value.items.length === 0) throw new Error('Empty arrays are not allowed');
      const requirements = value.items.map(compileValue);
      for (const alternative of result) alternative.set(fieldPath, requirements);
    } else throw new Error(`"${name}" must be an object or an array`);
  }
  return result;
}

function addOr(alternatives: Alternative[], value: JsonNode, path: string): Alternative[] {
  if (!(value instanceof JsonArray)) throw new Error('It must be an Array followed with $or.');
  if (value.items.length < 2) throw new Error('There must have at least 2 Objects in $or relationship.');
  const result: Alternative[] = [];
  for (const branch of value.items) {
    if (!(branch instanceof JsonObject)) throw new Error('Only JSON object is allowed in array of $or relationship.');
    const copies = alternatives.map((alternative) => new Map(alternative));
    result.push(...addObject(copies, branch, path, true));
    if (result.length > maximumAlternatives) {
      throw new Error(`$or makes more than ${maximumAlternatives} combinations`);
    }
  }
  return result;
}
