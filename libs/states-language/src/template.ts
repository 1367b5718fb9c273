/** The properties of an AWS::StepFunctions::StateMachine that hold its definition. */
export interface DefinitionProperties {
  readonly [property: string]: unknown;
  readonly Definition?: unknown;
  readonly DefinitionString?: unknown;
  readonly DefinitionSubstitutions?: unknown;
}

const placeholder = /\$\{(\w+)\}/g;

/**
 * The definition of a template as text, with its substitutions made. A placeholder without a value stays as it is, as on AWS.
 * @param properties of the resource; intrinsic functions are resolved
 * @throws Error where the definition is not in the template
 * @example
 * definitionInTemplate({ Definition: { StartAt: '${First}' }, DefinitionSubstitutions: { First: 'A' } }); // '{"StartAt":"A"}'
 */
export function definitionInTemplate({
  DefinitionString,
  Definition,
  DefinitionSubstitutions,
  ...others
}: DefinitionProperties): string {
  for (const elsewhere of ['DefinitionUri', 'DefinitionS3Location']) {
    if (others[elsewhere] !== undefined) {
      throw new Error(
        `${elsewhere} is not supported on this machine: put the definition into Definition or DefinitionString`,
      );
    }
  }
  if ((DefinitionString === undefined) === (Definition === undefined)) {
    throw new Error('exactly one of Definition and DefinitionString must be there');
  }
  const isText = Definition === undefined;
  const text = isText ? String(DefinitionString) : JSON.stringify(Definition);
  const substitutions = new Map(Object.entries((DefinitionSubstitutions ?? {}) as Record<string, unknown>));
  return text.replace(placeholder, (place, name: string) => {
    const value = substitutions.get(name);
    // In an object the place is inside of a JSON string already.
    return value === undefined ? place : isText ? String(value) : JSON.stringify(String(value)).slice(1, -1);
  });
}

/**
 * The names of the placeholders in a text of a definition.
 * @example placeholdersIn('${First} of ${Second}'); // ['First', 'Second']
 */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(placeholder)].map(([, name]) => String(name));
}
