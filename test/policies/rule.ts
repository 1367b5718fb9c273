import { type CompiledService, type CompiledWorkspace, placeOf } from './compiled-workspace.ts';

/** Something a rule does not like about one resource. */
export interface Finding {
  /** Logical id; empty for the stack as a whole. */
  resource: string;
  /** What is wrong, with the property and its value. */
  problem: string;
}

/** What a rule allows although it does not like it. */
export interface Exception {
  /** `orders`; every service when missing. */
  service?: string;
  resource: RegExp;
  /** When only one kind of problem is allowed. */
  problem?: RegExp;
  reason: string;
}

/** One thing that has to hold in every template at every stage. */
export interface Rule {
  /** Stable, for exceptions and for whoever searches. */
  name: string;
  /** What goes wrong otherwise, in one sentence. */
  why: string;
  exceptions?: readonly Exception[];
  check(service: CompiledService, workspace: CompiledWorkspace): Finding[];
}

/** The exception that covers a finding, if there is any. */
export function exceptionFor(rule: Rule, service: CompiledService, finding: Finding): Exception | undefined {
  return rule.exceptions?.find(
    (exception) =>
      (exception.service ?? service.name) === service.name &&
      exception.resource.test(finding.resource) &&
      (exception.problem?.test(finding.problem) ?? true),
  );
}

/**
 * Whether a rule finds something in a service that no exception covers.
 * @example rules.some((rule) => isBroken(rule, service, workspace))
 */
export function isBroken(rule: Rule, service: CompiledService, workspace: CompiledWorkspace): boolean {
  return rule.check(service, workspace).some((finding) => exceptionFor(rule, service, finding) === undefined);
}

/**
 * Applies rules to every service.
 * @returns a line per finding that no exception covers: file, key, resource, problem, and the rule with its reason
 */
export function violations(rules: readonly Rule[], workspace: CompiledWorkspace): string[] {
  return workspace.services.flatMap((service) =>
    rules.flatMap((rule) =>
      rule
        .check(service, workspace)
        .filter((finding) => exceptionFor(rule, service, finding) === undefined)
        .map(({ resource, problem }) => {
          return `${placeOf(workspace.root, service, resource)}: ${problem} [${rule.name}: ${rule.why}]`;
        }),
    ),
  );
}
