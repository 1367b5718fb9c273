/** The names a template imports with Fn::ImportValue, each once. Names that are not literal are left out. */
export function importedNames(template: unknown): string[] {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Fn::ImportValue' && typeof inner === 'string') names.add(inner);
      else visit(inner);
    }
  };
  visit(template);
  return [...names];
}
