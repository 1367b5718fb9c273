import { eventBridgeLimits, lambdaLimits, nameLimits, stackLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import type { CfnResource } from './osls.ts';

/** The parts of a compiled template that AWS limits. */
interface Template {
  Resources?: Readonly<Record<string, CfnResource>>;
  Parameters?: object;
  Outputs?: object;
}

/**
 * Checks a compiled template against limits by which AWS would refuse it in the middle of a deployment: names, rules,
 * variables, and the size of the stack. Values that only the deployment knows are not looked at.
 *
 * @param patternLength characters of a rule's pattern that the account's quota allows
 * @throws ConfigurationError CONSUMERS_AWS_LIMIT for the first one that is exceeded
 */
export function checkTemplateLimits(
  { Resources = {}, Parameters = {}, Outputs = {} }: Template,
  patternLength: number,
) {
  const numbers = { Resources, Parameters, Outputs };
  const most = { Resources: stackLimits.resources, Parameters: stackLimits.parameters, Outputs: stackLimits.outputs };
  for (const section of ['Resources', 'Parameters', 'Outputs'] as const) {
    checkSize(section, Object.keys(numbers[section]).length, most[section], `${section.toLowerCase()} in a stack`);
  }
  for (const [id, { Type, Properties = {} }] of Object.entries(Resources)) {
    const at = (property: string) => `Resources.${id}.Properties.${property}`;
    const name = nameLimits[Type];
    const value = name && Properties[name.property];
    if (typeof value === 'string') checkSize(at(name?.property ?? ''), value.length, name?.length ?? 0, 'characters');
    if (Type === 'AWS::Events::Rule') checkRule(Properties, at, patternLength);
    if (Type === 'AWS::Lambda::Function') checkVariables(Properties, at('Environment'));
  }
}

function checkRule(
  { EventPattern, Targets }: CfnResource['Properties'],
  at: (property: string) => string,
  patternLength: number,
) {
  const pattern = typeof EventPattern === 'object' ? JSON.stringify(EventPattern) : String(EventPattern ?? '');
  checkSize(at('EventPattern'), pattern.length, patternLength, 'characters');
  if (Array.isArray(Targets)) checkSize(at('Targets'), Targets.length, eventBridgeLimits.targetsPerRule, 'targets');
}

function checkVariables({ Environment }: CfnResource['Properties'], key: string): void {
  const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, unknown> };
  const texts = Object.entries(Variables).flatMap(([name, value]) => [name, typeof value === 'string' ? value : '']);
  checkSize(key, Buffer.byteLength(texts.join('')), lambdaLimits.environmentBytes, 'bytes of variables');
}

function checkSize(key: string, size: number, limit: number, unit: string): void {
  if (size <= limit) return;
  throw new ConfigurationError('CONSUMERS_AWS_LIMIT', key, `has ${size} ${unit}, but AWS allows ${limit}`);
}
