import type { CompiledService } from '../compiled-workspace.ts';
import type { Rule } from '../rule.ts';
import { isIntrinsic, isSame, list } from '../template.ts';

/** A macro of `Transform` may rewrite everything; `Rules` and `Hooks` may stop a deployment. */
const sections = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Resources',
  'Outputs',
  'Parameters',
  'Conditions',
]);

const hasAlarmEmail = { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AlarmEmailAddress' }, ''] }] };

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html */
export const templateSections: Rule = {
  name: 'template-sections',
  why: 'what stands around the resources can change or leave out any of them, or show what they hold',
  check(service, { parameters }) {
    const template = service.template as unknown as Record<string, Record<string, unknown> | undefined>;
    const { Parameters = {}, Conditions = {}, Outputs = {} } = template;
    const email = { Type: 'String', Default: parameters.alarmEmail };
    return [
      ...Object.keys(template)
        .filter((name) => !sections.has(name))
        .map((name) => `has ${name}, which is not judged by any rule`),
      ...Object.entries(Parameters)
        .filter(([name, value]) => name !== 'AlarmEmailAddress' || !isSame(value, email))
        .map(([name, value]) => `Parameters.${name} is ${JSON.stringify(value)}`),
      ...Object.entries(Conditions)
        .filter(([name, value]) => name !== 'HasAlarmEmail' || !isSame(value, hasAlarmEmail))
        .map(([name, value]) => `Conditions.${name} is ${JSON.stringify(value)}`),
      ...Object.entries(Outputs).flatMap(([name, value]) => outputProblems(name, value, service)),
    ].map((problem) => ({ resource: '', problem }));
  },
};

/** A stack's outputs can be read by whoever may describe it, so they name things and hold none. */
function outputProblems(name: string, output: unknown, { name: service, stage }: CompiledService): string[] {
  const { Value, Export, Description, ...others } = output as Record<string, unknown>;
  const names = [`sls-millrace-${service}-${stage}-${name}`, `millrace-${stage}:${name}`];
  const isOwn = names.some((Name) => isSame(Export, { Name }));
  // EventBusArn is the EventBus's: what imports it by name gets what the name says.
  const [subject] = [...referred(Value)];
  const isOther = isSame(Export, { Name: `millrace-${stage}:${name}` }) && subject !== name.replace(/(Arn|Name)$/, '');
  return [
    ...(isOther ? [`Outputs.${name} is of ${subject}`] : []),
    ...Object.keys(others).map((key) => `Outputs.${name}.${key} is not judged by any rule`),
    ...(isIntrinsic(Value) ? [] : [`Outputs.${name} has a value of its own`]),
    ...(isOwn ? [] : [`Outputs.${name} is exported as ${JSON.stringify(Export)}`]),
  ];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html */
export const references: Rule = {
  name: 'references',
  why: 'a stack that refers to what it does not have cannot be created',
  check({ template }) {
    const known = new Set([...Object.keys(template.Resources ?? {}), ...Object.keys(template.Parameters ?? {})]);
    const missing = (value: unknown) =>
      [...referred(value)]
        .filter((id) => !known.has(id) && !id.startsWith('AWS::'))
        .map((id) => `refers to ${id}, which is not there`);
    return [
      ...Object.entries(template.Resources ?? {}).flatMap(([resource, { Properties, DependsOn, Condition }]) => [
        ...missing(Properties).map((problem) => ({ resource, problem })),
        ...list(DependsOn)
          .filter((id) => !known.has(String(id)))
          .map((id) => ({ resource, problem: `DependsOn names ${id}, which is not there` })),
        ...(Condition === undefined || Object.hasOwn(template.Conditions ?? {}, Condition)
          ? []
          : [{ resource, problem: `Condition names ${Condition}, which is not there` }]),
      ]),
      ...missing({ outputs: template.Outputs, conditions: template.Conditions }).map((problem) => ({
        resource: '',
        problem,
      })),
    ];
  },
};

/** Every logical id that a value refers to. */
function referred(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (key === 'Ref' && typeof inner === 'string') found.add(inner);
    else if (key === 'Fn::GetAtt' && Array.isArray(inner)) found.add(String(inner[0]));
    else if (key === 'Fn::Sub' && typeof inner === 'string') {
      for (const [, id = ''] of inner.matchAll(/\$\{([\w:]+)(?:\.[\w.]+)?\}/g)) found.add(id);
    } else referred(inner, found);
  }
  return found;
}
