/** A state, as far as it is drawn. */
interface State {
  Type: string;
  Next?: string;
  Default?: string;
  End?: boolean;
  Catch?: { ErrorEquals: string[]; Next: string }[];
  Choices?: { Next: string }[];
}

/** A definition in the Amazon States Language without Parallel and Map states. */
export interface Definition {
  StartAt: string;
  States: Readonly<Record<string, State>>;
}

/**
 * Draws a definition: solid arrows where a state goes on, dashed ones where it catches an error, with its name.
 * @returns a flowchart of https://mermaid.js.org/syntax/flowchart.html
 * @throws Error for a Parallel or Map state, which holds states of its own
 * @example mermaidOf({ StartAt: 'A', States: { A: { Type: 'Succeed' } } });
 */
export function mermaidOf({ StartAt, States }: Definition): string {
  const lines = Object.entries(States).flatMap(([name, state]) => [...shapeOf(name, state), ...arrowsOf(name, state)]);
  return ['flowchart TD', '  start((start)) --> '.concat(StartAt), ...lines.map((line) => `  ${line}`)].join('\n');
}

function shapeOf(name: string, { Type }: State): string[] {
  if (Type === 'Parallel' || Type === 'Map') throw new Error(`${name}: states of type ${Type} cannot be drawn`);
  return Type === 'Choice' ? [`${name}{${name}}`] : [];
}

function arrowsOf(name: string, { Type, Next, Default, End, Catch = [], Choices = [] }: State): string[] {
  const next = [...Choices.map((choice) => choice.Next), Default, Next].filter((to) => to !== undefined);
  const ends = End === true || Type === 'Succeed' || Type === 'Fail';
  return [
    ...next.map((to) => `${name} --> ${to}`),
    ...(ends ? [`${name} --> ended((end))`] : []),
    ...Catch.map(({ ErrorEquals, Next: to }) => `${name} -. ${ErrorEquals.map(labelOf).join(', ')} .-> ${to}`),
  ];
}

function labelOf(error: string): string {
  if (error === 'States.ALL') return 'any other error';
  return error === 'States.Timeout' ? 'no answer in time' : error;
}
