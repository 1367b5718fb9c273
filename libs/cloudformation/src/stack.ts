import { evaluateCondition, resolveValue, type Scope } from './intrinsics.ts';
import { generatedName, type ResourceIdentity, type ResourceType, unknownTypeAttribute } from './resource-type.ts';
import {
  type CloudFormationTemplate,
  TemplateError,
  type TemplateOutput,
  type TemplateResource,
  type TemplateValue,
} from './template.ts';
import { topologicalOrder } from './topological-order.ts';

/** Where stacks live, and what one stack needs from the others. */
export interface StackEnvironment {
  accountId: string;
  region: string;
  /** Origin of the AWS port, without a path. */
  awsUrl: string;
  /** By name, e.g. `AWS::SQS::Queue`. A resource of any other type has stand-ins for its attributes. */
  resourceTypes: Readonly<Record<string, ResourceType>>;
  /** The value another stack exports under a name; undefined when none does. */
  exportedValue: (name: string) => { value: unknown } | undefined;
  /** The value of an SSM parameter that any stack declares; undefined when none does. */
  ssmParameter: (name: string) => string | undefined;
}

/** One resource of a stack, its condition true, with what the runtime needs to create it. */
export interface StackResource {
  logicalId: string;
  type: string;
  /** Undefined for a type that was not handed in. */
  definition: ResourceType | undefined;
  /** The physical name: the queue's, the table's, the function's. */
  name: string;
}

/**
 * A template with its values resolved on demand: a reference is followed when somebody asks for it, so attributes that
 * only exist after creation (a table's stream) are asked for after they have been set.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
export class Stack {
  readonly name: string;
  readonly #template: CloudFormationTemplate;
  readonly #environment: StackEnvironment;
  readonly #scope: Scope;
  readonly #conditions = new Map<string, boolean>();
  readonly #afterCreation = new Map<string, string>();
  readonly #beingResolved = new Set<string>();
  #checking = false;

  /** @throws TemplateError for a template that nothing can be made of */
  constructor(name: string, template: CloudFormationTemplate, environment: StackEnvironment) {
    this.name = name;
    this.#template = template;
    this.#environment = environment;
    if (template.Transform !== undefined) throw this.#error('Transform', 'macros are not supported');
    for (const [parameter, { Default, Type }] of Object.entries(template.Parameters ?? {})) {
      if (Default === undefined) throw this.#error(`Parameters.${parameter}`, `has no default (${Type})`);
    }
    this.#scope = {
      ref: (reference, place) => this.#ref(reference, place),
      getAtt: (logicalId, attribute, place) => this.#getAtt(logicalId, attribute, place),
      importValue: (exportName, place) => this.#importValue(exportName, place),
      mapping: (map, first, second, place) => {
        const value = template.Mappings?.[map]?.[first]?.[second];
        if (value === undefined) throw this.#error(place, `Mappings has no ${map}.${first}.${second}`);
        return value;
      },
      condition: (condition, place) => this.#condition(condition, place),
      ssmParameter: (parameter, place) => this.#ssmParameter(parameter, place),
      fail: (place, problem) => {
        throw this.#error(place, problem);
      },
    };
  }

  /** The template as it was given, with its intrinsic functions. */
  get template(): CloudFormationTemplate {
    return this.#template;
  }

  /**
   * The resources whose condition is true, each behind those it refers to or names in DependsOn.
   *
   * @throws TemplateError for a circular dependency or an unknown name in DependsOn
   */
  resources(): StackResource[] {
    const declared = this.#template.Resources ?? {};
    const active = Object.keys(declared).filter((logicalId) => this.#isActive(logicalId));
    const order = topologicalOrder(
      active,
      (logicalId) => this.#dependenciesOf(logicalId, declared[logicalId]).filter((other) => this.#isActive(other)),
      (members) => this.#error('Resources', `circular dependency: ${members.join(' → ')}`),
    );
    return order.map((logicalId) => this.#resource(logicalId, `Resources.${logicalId}`));
  }

  /** The resources of one type whose condition is true, as the template orders them. */
  resourcesOfType(type: string): StackResource[] {
    return Object.entries(this.#template.Resources ?? {})
      .filter(([logicalId, resource]) => resource.Type === type && this.#isActive(logicalId))
      .map(([logicalId]) => this.#resource(logicalId, `Resources.${logicalId}`));
  }

  /** The resolved properties of one resource. */
  properties(logicalId: string): Record<string, unknown> {
    const place = `Resources.${logicalId}.Properties`;
    const resolved = this.#resolve(this.#declaration(logicalId, place).Properties ?? {}, place);
    return resolved as Record<string, unknown>;
  }

  /** The names of a resource's properties, as the template has them. Unlike their values they are known before anything is created. */
  propertyNames(logicalId: string): string[] {
    return Object.keys(this.#declaration(logicalId, `Resources.${logicalId}`).Properties ?? {});
  }

  /** One attribute of one resource, as Fn::GetAtt gives it. */
  attribute(logicalId: string, attribute: string): string {
    return this.#getAtt(logicalId, attribute, `Resources.${logicalId}`);
  }

  /** What Ref gives for a resource. */
  ref(logicalId: string): string {
    return String(this.#ref(logicalId, `Resources.${logicalId}`));
  }

  /** Makes an attribute known that did not exist before the resource was created, e.g. a table's StreamArn. */
  setAttribute(logicalId: string, attribute: string, value: string): void {
    this.#afterCreation.set(`${logicalId}.${attribute}`, value);
  }

  /** Names this stack exports, with the output each comes from. */
  exports(): Map<string, string> {
    return new Map(
      this.#activeOutputs().flatMap(([key, { Export }]) =>
        Export ? [[String(this.#resolve(Export.Name, `Outputs.${key}.Export.Name`)), key] as const] : [],
      ),
    );
  }

  /** The names this stack imports, each with the first place that does. */
  imports(): Map<string, string> {
    const imports = new Map<string, string>();
    const visit = (value: TemplateValue | undefined, place: string): void => {
      this.#walk(value, place, (name, argument, where) => {
        if (name !== 'Fn::ImportValue') return;
        const exportName = String(this.#resolve(argument, where));
        if (!imports.has(exportName)) imports.set(exportName, where);
      });
    };
    for (const [logicalId, resource] of Object.entries(this.#template.Resources ?? {})) {
      if (this.#isActive(logicalId)) visit(resource.Properties ?? {}, `Resources.${logicalId}.Properties`);
    }
    for (const [key, output] of this.#activeOutputs()) visit(output.Value, `Outputs.${key}.Value`);
    return imports;
  }

  /** The resolved value of one output. */
  output(key: string): unknown {
    const output = this.#template.Outputs?.[key];
    if (!output) throw this.#error('Outputs', `there is no output ${key}`);
    return this.#once(`output ${key}`, `Outputs.${key}.Value`, () =>
      this.#resolve(output.Value, `Outputs.${key}.Value`),
    );
  }

  /** All outputs whose condition is true, resolved. */
  outputs(): Record<string, unknown> {
    return Object.fromEntries(this.#activeOutputs().map(([key]) => [key, this.output(key)]));
  }

  /**
   * Resolves everything in the template once, with stand-ins for attributes that are not known yet.
   *
   * @throws TemplateError for the first reference that cannot be resolved
   */
  check(): void {
    this.#checking = true;
    try {
      for (const { logicalId } of this.resources()) this.properties(logicalId);
      this.outputs();
    } finally {
      this.#checking = false;
    }
  }

  #error(place: string, problem: string): TemplateError {
    return new TemplateError(this.name, place, problem);
  }

  #resolve(value: TemplateValue, place: string): unknown {
    return resolveValue(value, this.#scope, place);
  }

  /** Follows a reference unless it is already being followed: then it leads back to itself. */
  #once<T>(what: string, place: string, follow: () => T): T {
    if (this.#beingResolved.has(what)) throw this.#error(place, `${what} refers to itself`);
    this.#beingResolved.add(what);
    try {
      return follow();
    } finally {
      this.#beingResolved.delete(what);
    }
  }

  #declaration(logicalId: string, place: string): TemplateResource {
    const resource = this.#template.Resources?.[logicalId];
    if (!resource) throw this.#error(place, `there is no resource or parameter "${logicalId}"`);
    if (!this.#isActive(logicalId)) {
      throw this.#error(place, `"${logicalId}" is not created: its condition ${resource.Condition} is false`);
    }
    return resource;
  }

  #resource(logicalId: string, place: string): StackResource {
    const { Type, Properties } = this.#declaration(logicalId, place);
    const definition = this.#environment.resourceTypes[Type];
    const given = definition?.nameProperty ? Properties?.[definition.nameProperty] : undefined;
    const name =
      given === undefined
        ? undefined
        : this.#once(`the name of ${logicalId}`, place, () =>
            this.#resolve(given, `Resources.${logicalId}.Properties.${definition?.nameProperty}`),
          );
    return {
      logicalId,
      type: Type,
      definition,
      name: name === undefined ? generatedName(this.name, logicalId) : String(name),
    };
  }

  #identity(resource: StackResource): ResourceIdentity {
    const { accountId, region, awsUrl } = this.#environment;
    const { logicalId, name } = resource;
    const property = (key: string): unknown => {
      const value = this.#template.Resources?.[logicalId]?.Properties?.[key];
      const place = `Resources.${logicalId}.Properties.${key}`;
      return value === undefined
        ? undefined
        : this.#once(`${key} of ${logicalId}`, place, () => this.#resolve(value, place));
    };
    return { stackName: this.name, logicalId, name, region, accountId, awsUrl, property };
  }

  #ref(reference: string, place: string): unknown {
    const pseudo = this.#pseudoParameter(reference);
    if (pseudo !== undefined) return pseudo;
    if (reference.startsWith('AWS::'))
      throw this.#error(place, `${reference} is not a pseudo parameter that can be used here`);
    const parameter = this.#template.Parameters?.[reference];
    if (parameter) return this.#parameter(reference, parameter.Type, parameter.Default ?? '');
    const resource = this.#resource(reference, place);
    return resource.definition?.ref?.(this.#identity(resource)) ?? resource.name;
  }

  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
  #pseudoParameter(name: string): unknown {
    const { accountId, region } = this.#environment;
    switch (name) {
      case 'AWS::AccountId':
        return accountId;
      case 'AWS::Region':
        return region;
      case 'AWS::StackName':
        return this.name;
      case 'AWS::StackId':
        return `arn:aws:cloudformation:${region}:${accountId}:stack/${this.name}/local`;
      case 'AWS::Partition':
        return 'aws';
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::NotificationARNs':
        return [];
      default:
        return undefined;
    }
  }

  #parameter(name: string, type: string, value: TemplateValue): unknown {
    const place = `Parameters.${name}.Default`;
    if (type.startsWith('AWS::SSM::Parameter::Value<')) {
      const stored = this.#ssmParameter(String(value), place);
      return type.includes('List<') ? splitList(stored) : stored;
    }
    if (type === 'CommaDelimitedList' || type.startsWith('List<')) return splitList(String(value));
    return String(value);
  }

  #getAtt(logicalId: string, attribute: string, place: string): string {
    const resource = this.#resource(logicalId, place);
    const { definition, type } = resource;
    const identity = this.#identity(resource);
    if (!definition) return unknownTypeAttribute(identity, type, attribute);
    const compute = definition.attributes[attribute];
    if (compute) return compute(identity);
    const later = definition.attributesAfterCreation ?? {};
    const standIn = later[attribute];
    if (!standIn) {
      const known = [...Object.keys(definition.attributes), ...Object.keys(later)].join(', ') || 'none';
      throw this.#error(place, `${type} "${logicalId}" has no attribute ${attribute} (known: ${known})`);
    }
    const value = this.#afterCreation.get(`${logicalId}.${attribute}`);
    if (value !== undefined) return value;
    if (this.#checking) return standIn(identity);
    throw this.#error(place, `${logicalId}.${attribute} is not known: ${logicalId} has none, or is not created yet`);
  }

  #importValue(exportName: string, place: string): unknown {
    const exported = this.#environment.exportedValue(exportName);
    if (!exported) throw this.#error(place, `no stack exports "${exportName}"`);
    return exported.value;
  }

  #ssmParameter(name: string, place: string): string {
    const value = this.#environment.ssmParameter(name);
    if (value === undefined) throw this.#error(place, `no stack declares the SSM parameter "${name}"`);
    return value;
  }

  #condition(name: string, place: string): boolean {
    const known = this.#conditions.get(name);
    if (known !== undefined) return known;
    const expression = this.#template.Conditions?.[name];
    if (expression === undefined) throw this.#error(place, `there is no condition "${name}"`);
    const value = this.#once(`condition ${name}`, `Conditions.${name}`, () =>
      evaluateCondition(expression, this.#scope, `Conditions.${name}`),
    );
    this.#conditions.set(name, value);
    return value;
  }

  #isActive(logicalId: string): boolean {
    const resource = this.#template.Resources?.[logicalId];
    if (!resource) return false;
    return resource.Condition === undefined || this.#condition(resource.Condition, `Resources.${logicalId}.Condition`);
  }

  #activeOutputs(): Array<[string, TemplateOutput]> {
    return Object.entries(this.#template.Outputs ?? {}).filter(
      ([key, { Condition }]) => Condition === undefined || this.#condition(Condition, `Outputs.${key}.Condition`),
    );
  }

  /** Calls back for every intrinsic function that counts: of an Fn::If, only what is in the branch that is taken. */
  #walk(
    value: TemplateValue | undefined,
    place: string,
    visit: (name: string, argument: TemplateValue, place: string) => void,
  ): void {
    if (value === undefined || value === null || typeof value !== 'object') return;
    const entries = Object.entries(value);
    for (const [key, item] of entries) {
      const where = Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`;
      if (entries.length === 1 && key === 'Fn::If' && Array.isArray(item)) {
        this.#walk(item[this.#condition(String(item[0]), where) ? 1 : 2], where, visit);
        continue;
      }
      if (entries.length === 1 && !Array.isArray(value)) visit(key, item, where);
      this.#walk(item, where, visit);
    }
  }

  #dependenciesOf(logicalId: string, resource: TemplateResource | undefined): string[] {
    const dependencies = new Set<string>();
    for (const other of [resource?.DependsOn ?? []].flat()) {
      if (!this.#template.Resources?.[other]) {
        throw this.#error(`Resources.${logicalId}.DependsOn`, `there is no resource "${other}"`);
      }
      dependencies.add(other);
    }
    this.#walk(resource?.Properties ?? {}, '', (name, argument) => {
      for (const reference of referencesOf(name, argument)) {
        if (this.#template.Resources?.[reference]) dependencies.add(reference);
      }
    });
    return [...dependencies];
  }
}

/** The logical ids that one intrinsic function refers to. */
function referencesOf(name: string, argument: TemplateValue): string[] {
  switch (name) {
    case 'Ref':
      return [String(argument)];
    case 'Fn::GetAtt':
      return [String(Array.isArray(argument) ? argument[0] : String(argument).split('.')[0])];
    case 'Fn::Sub': {
      const template = String(Array.isArray(argument) ? argument[0] : argument);
      return [...template.matchAll(/\$\{([^!}][^}]*)\}/g)].map((match) => String(match[1]).trim().split('.')[0] ?? '');
    }
    default:
      return [];
  }
}

function splitList(value: string): string[] {
  return value === '' ? [] : value.split(',').map((item) => item.trim());
}
