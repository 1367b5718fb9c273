export { EventFields } from './event-fields.ts';
export {
  compileInputTransformer,
  type InputTransformer,
  type RuleIdentity,
  type TargetInput,
  type TransformableEvent,
} from './input-transformer.ts';
export {
  JsonArray,
  type JsonNode,
  JsonNumber,
  JsonObject,
  type JsonScalar,
  type JsonValue,
  jsonText,
  parseJson,
} from './json-document.ts';
export { compileJsonPath } from './json-path.ts';
export { compilePattern, EventPattern, InvalidPatternError } from './pattern.ts';
