import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { hasOwnKey } from '../shape.ts';
import { assumableBy, at, type Entry, entriesOf, isSame, referenceTo, stageArn } from '../template.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/security-iam.html */
export const stateMachines: Rule = {
  name: 'state-machines',
  why: 'what a machine may invoke, anybody who changes it may invoke',
  check(service, workspace) {
    return entriesOf(service, 'AWS::StepFunctions::StateMachine').flatMap((machine) =>
      problemsOf(machine, service, workspace).map((problem) => ({ resource: machine.id, problem })),
    );
  },
};

function problemsOf({ properties }: Entry, service: CompiledService, workspace: CompiledWorkspace): string[] {
  const { root, services } = workspace;
  const { Definition, DefinitionSubstitutions = {}, RoleArn } = properties;
  const functions = Object.entries(DefinitionSubstitutions as object).map(([, arn]) => arn);
  const files = definitionsOf(join(root, dirname(service.file)));
  const placeholders = [...JSON.stringify(Definition ?? {}).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => String(name));
  const role = service.template.Resources?.[referenceTo(RoleArn) ?? '']?.Properties;
  return [
    ...(files.some((file) => isSame(file, Definition))
      ? []
      : ['Definition is not that of a file that the tests enter']),
    ...(isSame(Object.keys(DefinitionSubstitutions as object).sort(), [...new Set(placeholders)].sort())
      ? []
      : ['DefinitionSubstitutions are not those of the definition']),
    ...functions
      .filter((arn) => !isFunction(arn, service, services))
      .map((arn) => `DefinitionSubstitutions has ${JSON.stringify(arn)}, which is not a function of this stage`),
    ...(isSame(role?.AssumeRolePolicyDocument, byStepFunctions) ? [] : ['its role is not for Step Functions alone']),
    ...(isSame(role?.Policies, mayInvoke(functions, properties.StateMachineName, service, hasOwnKey({ workspace })))
      ? []
      : ['its role does not allow to invoke its functions alone, and to use the key of its stage for its executions']),
  ];
}

const definitions = new Map<string, unknown[]>();

/** The definitions in a service's folder, read once: a template is checked thousands of times. */
function definitionsOf(directory: string): unknown[] {
  const known = definitions.get(directory);
  if (known) return known;
  const read = readdirSync(directory)
    .filter((name) => name.endsWith('.asl.json'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
  definitions.set(directory, read);
  return read;
}

const byStepFunctions = assumableBy('states.amazonaws.com', {
  StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
});

function mayInvoke(
  functions: readonly unknown[],
  name: unknown,
  { stage }: CompiledService,
  hasKey: boolean,
): object[] {
  const key = {
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: { 'Fn::ImportValue': `millrace-${stage}:DataKeyArn` },
    Condition: {
      StringEquals: {
        'kms:EncryptionContext:aws:states:stateMachineArn': stageArn('states', `stateMachine:${name}`),
      },
    },
  };
  const invoke = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: functions };
  const Statement = [invoke, ...(hasKey ? [key] : [])];
  return [{ PolicyName: 'steps', PolicyDocument: { Version: '2012-10-17', Statement } }];
}

/** True if an ARN is that of a function of this stage. Those of other services are known by their names. */
export function isFunction(arn: unknown, service: CompiledService, services: readonly CompiledService[]): boolean {
  const own = service.template.Resources?.[referenceTo(arn) ?? ''];
  if (own) return own.Type === 'AWS::Lambda::Function' && at(arn, 'Fn::GetAtt', '1') === 'Arn';
  return services.some((other) =>
    entriesOf(other, 'AWS::Lambda::Function').some(({ properties }) =>
      isSame(arn, stageArn('lambda', `function:${properties.FunctionName}`)),
    ),
  );
}
