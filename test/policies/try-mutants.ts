/**
 * Tries every mutant of every template at `prod`, and prints as JSON what no rule finds. A process of its own, because code in
 * Jest's contexts takes four times as long.
 */
import { accepted } from './accepted-mutants.ts';
import { type CompiledService, readCompiledWorkspace } from './compiled-workspace.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { isBroken, violations } from './rule.ts';
import { rules } from './rules/index.ts';
import { resourceShapes, shapeFindings } from './rules/resource-shapes.ts';
import { entry } from './template.ts';

/** What came of it. */
export interface MutantReport {
  tried: number;
  /** A line for each change that no rule finds and no entry accepts. */
  survivors: string[];
  /** How often each entry of accepted-mutants.ts was needed. */
  accepted: number[];
  /** What rules find in the templates when every change is taken back. */
  left: string[];
}

const workspace = await readCompiledWorkspace('prod');
const report: MutantReport = { tried: 0, survivors: [], accepted: accepted.map(() => 0), left: [] };

// The changed resource is looked at first, and all others only when nothing else is found: it is a third of the work.
const costliestLast = [...rules.filter((rule) => rule !== resourceShapes), resourceShapes];

for (const service of workspace.services) {
  for (const mutant of mutantsOf(service)) {
    report.tried += 1;
    mutant.apply();
    // What is around the resources may be of another stack's: its imports.
    const affected = mutant.type === 'Template' ? workspace.services : [service];
    const isFound =
      hasOtherShape(service, mutant.resource) ||
      costliestLast.some((rule) => affected.some((each) => isBroken(rule, each, workspace)));
    mutant.undo();
    if (isFound) continue;
    const index = accepted.findIndex((each) => covers(each, mutant));
    if (index >= 0) report.accepted[index] = (report.accepted[index] ?? 0) + 1;
    else report.survivors.push(`${service.name}: ${mutant.type} ${mutant.resource}: ${mutant.change} ${mutant.path}`);
  }
}
report.left = violations(rules, workspace);
console.log(JSON.stringify(report));

function hasOtherShape(service: CompiledService, id: string): boolean {
  const changed = service.template.Resources?.[id];
  return changed !== undefined && shapeFindings(entry(id, changed), service, workspace).length > 0;
}

function covers({ type, path, change }: (typeof accepted)[number], mutant: Mutant): boolean {
  return (
    (type === undefined || type === mutant.type) && path.test(mutant.path) && (change?.test(mutant.change) ?? true)
  );
}
