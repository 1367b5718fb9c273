import { errorNames, RuntimeFailure } from '../failure.ts';
import { isObject, type Json, type JsonObject, setMember } from '../json.ts';

/**
 * Puts a result into a copy of the input, where a Reference Path says: `ResultPath`.
 * https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultpath.html
 * @param places members by name and items by index; the result replaces the input when there are none
 * @throws RuntimeFailure States.ResultPathMatchFailure where the input has something else on the way
 */
export function putResult(input: Json, places: readonly (string | number)[], result: Json): Json {
  const [place, ...rest] = places;
  if (place === undefined) return result;
  if (typeof place === 'number') {
    if (!Array.isArray(input) || place >= input.length) throw mismatch(place, input);
    return input.map((item, index) => (index === place ? putResult(item, rest, result) : item));
  }
  if (!isObject(input)) throw mismatch(place, input);
  const next = Object.hasOwn(input, place) ? (input[place] as Json) : {};
  const copy: JsonObject = { ...input };
  setMember(copy, place, putResult(next, rest, result));
  return copy;
}

function mismatch(place: string | number, input: Json): RuntimeFailure {
  const message = `Unable to apply step "${place}" to input ${JSON.stringify(input)}`;
  return new RuntimeFailure(message, errorNames.resultPath);
}
