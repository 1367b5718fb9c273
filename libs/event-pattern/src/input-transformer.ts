import { JsonArray, type JsonNode, JsonObject, jsonText } from './json-document.ts';
import { compileJsonPath } from './json-path.ts';

/** The part of the InputTransformer structure that matters: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html */
export interface InputTransformer {
  /** Variable name → JSON path into the event. */
  readonly InputPathsMap?: Readonly<Record<string, string>>;
  /** Text with `<variable>` placeholders. */
  readonly InputTemplate: string;
}

/** What a transformer reads of an event. */
export interface TransformableEvent {
  /** The envelope as targets get it without a transformer. */
  readonly text: string;
  readonly textWithoutDetail: string;
  readonly document: JsonObject;
  /** When the bus took it, in milliseconds since the epoch. */
  readonly ingestedAt: number;
}

export interface RuleIdentity {
  readonly name: string;
  readonly arn: string;
}

/** Gives the text a target receives for an event. */
export type TargetInput = (event: TransformableEvent, rule: RuleIdentity) => string;

type Variable = (event: TransformableEvent, rule: RuleIdentity) => JsonNode | undefined;

const predefined: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['aws.events.rule-arn', (_event, rule) => rule.arn],
  ['aws.events.rule-name', (_event, rule) => rule.name],
  ['aws.events.event.ingestion-time', (event) => new Date(event.ingestedAt).toISOString()],
  ['aws.events.event', (event) => new JsonObject([], event.textWithoutDetail)],
  ['aws.events.event.json', (event) => event.document],
]);

const maximumVariables = 100;
const maximumTemplateLength = 8192;

/**
 * Compiles an input transformer. As AWS does it: outside quotes a string comes quoted, anything else as JSON; inside quotes
 * a value comes as it is, unescaped, and an object or array loses its quote marks; what the event lacks is an empty string.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 * @throws Error with the reason where a path or a placeholder is not valid.
 */
export function compileInputTransformer({ InputPathsMap = {}, InputTemplate }: InputTransformer): TargetInput {
  const paths = Object.entries(InputPathsMap);
  if (paths.length > maximumVariables) throw new Error(`InputPathsMap has more than ${maximumVariables} variables`);
  if (InputTemplate.length > maximumTemplateLength) {
    throw new Error(`InputTemplate is longer than ${maximumTemplateLength} characters`);
  }
  const variables = new Map(predefined);
  for (const [name, path] of paths) {
    if (/^aws/i.test(name)) throw new Error(`InputPathsMap variable ${name} must not start with AWS`);
    if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Error(`InputPathsMap variable ${name} is not a valid name`);
    const read = compileJsonPath(path);
    variables.set(name, (event) => read(event.document));
  }
  const render = compileTemplate<Parameters<TargetInput>>(InputTemplate, (name) => {
    const variable = variables.get(name);
    return variable && (([event, rule]) => variable(event, rule));
  });
  return (event, rule) => render([event, rule]);
}

/**
 * Compiles a text with `<variable>` placeholders, which are replaced as `compileInputTransformer` tells.
 * @param variableOf reads the value of a variable; undefined for a name that is not one
 * @throws Error for such a name
 * @example
 * compileTemplate<string>('{"hello":<name>}', (name) => (name === 'name' ? (given) => given : undefined))('Ada'); // {"hello":"Ada"}
 */
export function compileTemplate<Given>(
  template: string,
  variableOf: (name: string) => ((given: Given) => JsonNode | undefined) | undefined,
): (given: Given) => string {
  // A template that starts as JSON does, or is one placeholder alone, makes JSON; any other makes plain text.
  const isJson = /^\s*[{["<]/.test(template) && !/^\s*<[^>]*>\s*[^\s]/.test(template);
  const parts: (string | ((given: Given) => string))[] = [];
  let insideString = false;
  for (const [text, name] of template.matchAll(/<([^<>]*)>|[^<]+|</g)) {
    if (name === undefined) {
      for (const [mark] of text.matchAll(/\\.|"/gs)) if (mark === '"') insideString = !insideString;
      parts.push(text);
      continue;
    }
    const variable = variableOf(name);
    if (!variable) throw new Error(`InputTemplate contains invalid placeholder ${name}`);
    const render = insideString ? insideQuotes : isJson ? asJson : asText;
    parts.push((given) => render(variable(given) ?? ''));
  }
  return (given) => parts.map((part) => (typeof part === 'string' ? part : part(given))).join('');
}

function insideQuotes(value: JsonNode): string {
  return value instanceof JsonObject || value instanceof JsonArray ? value.text.replaceAll('"', '') : asText(value);
}

function asText(value: JsonNode): string {
  return typeof value === 'string' ? value : jsonText(value);
}

function asJson(value: JsonNode): string {
  return jsonText(value);
}
