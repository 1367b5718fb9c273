export { EventFields } from './event-fields.ts';
export {
  compileInputTransformer,
  compileTemplate,
  type InputTransformer,
  type RuleIdentity,
  type TargetInput,
} from './input-transformer.ts';
export {
  JsonArray,
  type JsonNode,
  JsonNumber,
  JsonObject,
  type JsonValue,
  jsonText,
  parseJson,
} from './json-document.ts';
export { compileJsonPath } from './json-path.ts';
export { compilePattern, EventPattern, InvalidPatternError } from './pattern.ts';
