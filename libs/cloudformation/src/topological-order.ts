/**
 * Orders nodes so that each stands behind everything it depends on; among equals the given order is kept.
 *
 * @param dependenciesOf the nodes one node needs
 * @param onCycle is told the members of a cycle, in order, the first one again at the end, and returns the error to throw
 */
export function topologicalOrder(
  nodes: Iterable<string>,
  dependenciesOf: (node: string) => Iterable<string>,
  onCycle: (members: string[]) => Error,
): string[] {
  const order = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    if (order.has(node)) return;
    const start = path.indexOf(node);
    if (start !== -1) throw onCycle([...path.slice(start), node]);
    path.push(node);
    for (const dependency of dependenciesOf(node)) visit(dependency);
    path.pop();
    order.add(node);
  };
  for (const node of nodes) visit(node);
  return [...order];
}
