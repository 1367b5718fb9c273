import { importedNames } from '@millrace/serverless-consumers/imported-names';
import { type DataLoss, dataLosses, type Template } from './data-losses.ts';

/** A service as it would be deployed. */
export interface Candidate {
  /** `orders` */
  name: string;
  /** `millrace-orders-dev` */
  stackName: string;
  template: Template;
  packageHash: string;
}

/** A stack as it is. */
export interface DeployedStack {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes */
  status: string;
  template: Template;
  /** Missing when it was deployed by other means. */
  packageHash: string | undefined;
}

/** What stands in the account and the region. */
export interface Deployed {
  stacks: ReadonlyMap<string, DeployedStack>;
  exports: ReadonlySet<string>;
}

export interface PlannedService {
  name: string;
  action: 'create' | 'update' | 'leave';
  losses: DataLoss[];
  /** What forbids the deployment, whatever is confirmed. */
  problems: string[];
}

/**
 * Works out what a deployment would do, service by service.
 * @param candidates in the order of deployment
 * @param onlyChanged leaves services alone whose package is the one that is deployed
 */
export function planDeployment(
  candidates: readonly Candidate[],
  deployed: Deployed,
  { onlyChanged = false } = {},
): PlannedService[] {
  const available = new Set(deployed.exports);
  return candidates.map(({ name, stackName, template, packageHash }) => {
    const stack = deployed.stacks.get(stackName);
    const unchanged = stack?.packageHash === packageHash && isSettled(stack.status);
    const missing = importedNames(template)
      .filter((imported) => !available.has(imported))
      .sort();
    for (const exported of exportedNames(template)) available.add(exported);
    if (onlyChanged && unchanged) return { name, action: 'leave', losses: [], problems: [] };
    return {
      name,
      action: stack ? 'update' : 'create',
      losses: stack ? dataLosses(stack.template, template) : [],
      problems: [
        ...missing.map((imported) => `no stack exports ${imported}: deploy the service that does before, or with it`),
        ...(stack ? stackProblems(stackName, stack.status) : []),
      ],
    };
  });
}

/**
 * Which other stacks would not let these go.
 * @param names stacks to be removed
 * @returns a line for each export that a stack which stays imports
 */
export function removalProblems(names: readonly string[], stacks: Deployed['stacks']): string[] {
  const going = new Set(names);
  return names.flatMap((name) =>
    exportedNames(stacks.get(name)?.template ?? {}).flatMap((exported) =>
      [...stacks]
        .filter(([other, { template }]) => !going.has(other) && importedNames(template).includes(exported))
        .map(([other]) => `${other} imports ${exported}, which ${name} exports: remove it before, or with it`),
    ),
  );
}

function exportedNames({ Outputs = {} }: Template): string[] {
  return Object.values(Outputs).flatMap(({ Export }) => (typeof Export?.Name === 'string' ? [Export.Name] : []));
}

function isSettled(status: string): boolean {
  return status.endsWith('_COMPLETE') && !/ROLLBACK|DELETE/.test(status);
}

function stackProblems(stackName: string, status: string): string[] {
  if (status.endsWith('_IN_PROGRESS')) return [`${stackName} is being changed by somebody: ${status}`];
  if (status === 'ROLLBACK_COMPLETE' || status.endsWith('_FAILED')) {
    return [`${stackName} is ${status} and takes no update: remove it first`];
  }
  return [];
}
