/** Any JSON value of a template, with its intrinsic functions still in place. */
export type TemplateValue = string | number | boolean | null | TemplateValue[] | { [key: string]: TemplateValue };

/**
 * One resource as a template declares it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
 */
export interface TemplateResource {
  Type: string;
  Properties?: Record<string, TemplateValue>;
  Condition?: string;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface TemplateParameter {
  Type: string;
  Default?: TemplateValue;
}

export interface TemplateOutput {
  Value: TemplateValue;
  Condition?: string;
  Export?: { Name: TemplateValue };
}

/**
 * The parts of a CloudFormation template that decide what a stack is.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
export interface CloudFormationTemplate {
  Parameters?: Record<string, TemplateParameter>;
  Mappings?: Record<string, Record<string, Record<string, TemplateValue>>>;
  Conditions?: Record<string, TemplateValue>;
  Resources?: Record<string, TemplateResource>;
  Outputs?: Record<string, TemplateOutput>;
  Transform?: TemplateValue;
}

/** A template that cannot become a stack. The message is one line: stack, place in the template, what is wrong. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  /** @param place e.g. `Resources.Table.Properties.TableName`; empty for the stack as a whole */
  constructor(stackName: string, place: string, problem: string) {
    super(`Stack ${stackName}${place ? `, ${place}` : ''}: ${problem}`);
  }
}
