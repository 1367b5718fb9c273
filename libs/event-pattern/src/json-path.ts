import { JsonArray, type JsonNode, JsonObject, jsonText } from './json-document.ts';

const syntax = /^\$(?:\.[A-Za-z0-9_/-]+|\.\*|\[[0-9]+\]|\[\*\])*$/;
const step = /\.([A-Za-z0-9_/-]+)|\[([0-9]+)\]|\.\*|\[\*\]/g;

/**
 * Compiles the JSONPath subset EventBridge knows: `$`, `.name`, `[0]`, and the wildcards `.*` and `[*]`, which give an array
 * of all they find. The compiled path gives undefined where the document has nothing there.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 * @throws Error for any other syntax.
 */
export function compileJsonPath(path: string): (document: JsonNode) => JsonNode | undefined {
  if (!syntax.test(path)) throw new Error(`Invalid JSON path: ${path}`);
  const steps = [...path.matchAll(step)].map(([, name, index]) => {
    if (name !== undefined) return (node: JsonNode) => member(node, name);
    if (index !== undefined)
      return (node: JsonNode) => (node instanceof JsonArray ? node.items.slice(+index).slice(0, 1) : []);
    return children;
  });
  const hasWildcard = path.includes('*');
  return (document) => {
    const found = steps.reduce<readonly JsonNode[]>((nodes, next) => nodes.flatMap(next), [document]);
    return hasWildcard ? new JsonArray(found, `[${found.map(jsonText).join(',')}]`) : found[0];
  };
}

function member(node: JsonNode, name: string): JsonNode[] {
  const value = node instanceof JsonObject ? node.get(name) : undefined;
  return value === undefined ? [] : [value];
}

function children(node: JsonNode): readonly JsonNode[] {
  if (node instanceof JsonArray) return node.items;
  return node instanceof JsonObject ? node.members.map(([, value]) => value) : [];
}
