import { PolicyText, type RequestContext } from './policy-text.ts';

const components = 6;

/** Tells whether an ARN is the one, or one of those, that a policy names. */
export type ArnPattern = (arn: string, context: RequestContext) => boolean;

/**
 * Compiles an ARN with wildcards. Each of the six components is matched by itself, so that a `*` does not reach over a colon
 * but in the last one. An ARN with fewer components ends in wildcards.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function compileArn(text: string, { variables }: { variables: boolean }): ArnPattern {
  const pattern = PolicyText.parse(text, { wildcards: true, variables });
  if (text === '*') return () => true;
  const pieces = pattern.splitAtColons(components);
  return (arn, context) => {
    const values = arn.split(':');
    const rest = values.slice(components - 1).join(':');
    return pieces.every((piece, index) =>
      piece.matches(index === components - 1 ? rest : (values[index] ?? ''), context),
    );
  };
}
