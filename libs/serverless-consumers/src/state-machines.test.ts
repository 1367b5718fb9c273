import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compileTemplates } from '@millrace/workspace/packaging';

const lib = join(import.meta.dirname, '..');
/** Ignored by git. */
const scratch = join(lib, '.millrace', 'state-machines');

/** A process with a function of its own, one of another service, and a state of each kind that matters here. */
const processDefinition = () => ({
  QueryLanguage: 'JSONata',
  StartAt: 'Pay',
  States: {
    Pay: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: `\${PayFunctionArn}`, Payload: '{% $states.input.order %}' },
      Next: 'Both',
    } as Record<string, unknown>,
    Both: {
      Type: 'Parallel',
      Branches: [{ StartAt: 'Ship', States: { Ship: { Type: 'Task', Resource: `\${ShipFunctionArn}`, End: true } } }],
      End: true,
    } as Record<string, unknown>,
  },
});
type Definition = ReturnType<typeof processDefinition>;

const substitutions = (): Record<string, unknown> => ({
  PayFunctionArn: { 'Fn::GetAtt': ['PayLambdaFunction', 'Arn'] },
  ShipFunctionArn: {
    'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:millrace-post-dev-ship`,
  },
});

/** What changes in a service that is right. */
interface Change {
  definition?: (definition: Definition) => unknown;
  substitutions?: Record<string, unknown>;
  properties?: object;
}

const pay = (change: object) => ({
  definition: (definition: Definition) => Object.assign(definition.States.Pay, change) && definition,
});

const mistakes: [string, Change, string[]][] = [
  ['a state without Next', pay({ Next: undefined }), ['/States/Pay: One of these fields is required: [Next, End]']],
  ['a state that is not there', pay({ Next: 'Post' }), ["/States/Pay/Next: Missing 'Next' target: Post"]],
  [
    'a state that nothing leads to',
    { definition: (d) => ({ ...d, States: { ...d.States, Lost: { Type: 'Succeed' } } }) },
    ['/States/Lost: State "Lost" is not reachable.'],
  ],
  [
    'a JSONata expression that cannot be read',
    pay({ Output: '{% $states.result.( %}' }),
    ['/States/Pay/Output: ', 'JSONata'],
  ],
  [
    'a field that the language does not have',
    pay({ ResultPath: '$.a' }),
    ["/States/Pay/ResultPath: The field 'ResultPath'"],
  ],
  [
    'a resource that is not one',
    pay({ Resource: 'lambda:invoke' }),
    ['/States/Pay/Resource: Value is not a valid resource ARN: lambda:invoke'],
  ],
  [
    'a resource that Step Functions does not have',
    pay({ Resource: 'arn:aws:states:::lamda:invoke' }),
    ["/States/Pay/Resource: The Task state 'Pay' calls lamda:Invoke, which is not an optimized integration"],
  ],
  [
    'a function that is written out',
    pay({ Arguments: { FunctionName: 'millrace-post-dev-pay' } }),
    ['/States/Pay/Arguments/FunctionName: is "millrace-post-dev-pay": name the function by a placeholder'],
  ],
  [
    'a function that its data choose',
    pay({ Arguments: { FunctionName: '{% $states.input.function %}' } }),
    ['/States/Pay/Arguments/FunctionName: is "{% $states.input.function %}": name the function by a placeholder'],
  ],
  [
    'a function of an ARN in a branch',
    {
      definition: (d) =>
        JSON.parse(
          JSON.stringify(d).replace(`\${ShipFunctionArn}`, 'arn:aws:lambda:us-east-1:111111111111:function:x'),
        ),
    },
    ['/States/Both/Branches[0]/States/Ship/Resource: is "arn:aws:lambda:us-east-1:111111111111:function:x"'],
  ],
  [
    'a placeholder without a value',
    { substitutions: { PayFunctionArn: undefined } },
    [`/States/Pay/Arguments/FunctionName: DefinitionSubstitutions has no value for \${PayFunctionArn}`],
  ],
  [
    'a value that is empty',
    { substitutions: { PayFunctionArn: '' } },
    [`/States/Pay/Arguments/FunctionName: DefinitionSubstitutions has no value for \${PayFunctionArn}`],
  ],
  [
    'a value that is not used',
    { substitutions: { RefundFunctionArn: { 'Fn::GetAtt': ['PayLambdaFunction', 'Arn'] } } },
    ['DefinitionSubstitutions has RefundFunctionArn, but the definition does not use it'],
  ],
  [
    'a value that is not a function of the template',
    { substitutions: { PayFunctionArn: { 'Fn::GetAtt': ['PaymentLambdaFunction', 'Arn'] } } },
    [
      `/States/Pay/Arguments/FunctionName: \${PayFunctionArn} is`,
      'which is not a function of this template or an ARN of one',
    ],
  ],
  [
    'a value that is the ARN of something else',
    {
      substitutions: {
        ShipFunctionArn: { 'Fn::Sub': `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:ship` },
      },
    },
    [`/States/Both/Branches[0]/States/Ship/Resource: \${ShipFunctionArn} is`],
  ],
  [
    'a wait for a token in an express machine',
    {
      ...pay({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }),
      properties: { StateMachineType: 'EXPRESS' },
    },
    ["/States/Pay/Resource: Express state machine does not support '.waitForTaskToken' service integration"],
  ],
  [
    'several mistakes at once',
    { ...pay({ Next: 'Post', Foo: 1 }), substitutions: { Other: 'x' } },
    ["/States/Pay/Foo: The field 'Foo'", '; /States/Pay/Next: ', '; DefinitionSubstitutions has Other'],
  ],
];

/** Writes a service whose machine takes its definition from a file, as services do. */
function write(name: string, { definition = (d) => d, substitutions: others, properties }: Change): void {
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'handler.ts'), 'export const handler = async () => undefined;\n');
  writeFileSync(join(directory, 'pay.asl.json'), JSON.stringify(definition(processDefinition())));
  const common = `\${file(../../../../../serverless.common.yml)`;
  const Properties = {
    RoleArn: 'arn:aws:iam::000000000000:role/states',
    Definition: `\${file(pay.asl.json)}`,
    DefinitionSubstitutions: { ...substitutions(), ...others },
    ...properties,
  };
  const configuration = {
    service: `millrace-${name}`,
    configValidationMode: 'error',
    plugins: ['serverless-esbuild', '@millrace/serverless-consumers'],
    params: `\${file(../../../../../serverless.stages.yml)}`,
    provider: `${common}:provider}`,
    custom: `${common}:custom}`,
    package: { individually: true },
    functions: { pay: { handler: 'handler.handler' } },
    resources: { Resources: { Process: { Type: 'AWS::StepFunctions::StateMachine', Properties } } },
  };
  writeFileSync(join(directory, 'serverless.yml'), JSON.stringify(configuration));
}

const pack = (...names: string[]) =>
  compileTemplates({
    directories: names.map((name) => join(scratch, name)),
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(scratch, 'packages'),
  });

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('a definition that is right is packaged as it is', async () => {
  write('right', {});
  const [service] = await pack('right');
  expect(service?.template.Resources?.Process?.Properties?.Definition).toEqual(processDefinition());
});

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
describe('a definition with a mistake stops packaging', () => {
  const nameOf = (index: number) => `mistake-${index}`;
  let errors = '';

  beforeAll(async () => {
    for (const [index, [, change]] of mistakes.entries()) write(nameOf(index), change);
    errors = await pack(...mistakes.map((_, index) => nameOf(index))).then(
      () => 'nothing failed',
      (error: Error) => error.message,
    );
  });

  test.each(mistakes.map(([title, , messages], index) => [title, messages, index] as const))(
    '%s',
    (_, messages, index) => {
      const folder = 'libs/serverless-consumers/.millrace/state-machines';
      const error = errors.split(`${folder}/`).find((text) => text.startsWith(`${nameOf(index)}/`));
      expect(error).toMatch(/^mistake-\d+\/pay\.asl\.json: /);
      for (const message of messages) expect(error).toContain(message);
    },
  );
});

test.each([
  [
    'as text that only the deployment knows',
    { Definition: undefined, DefinitionString: { 'Fn::Sub': '{}' } },
    'Resources.Process: /DefinitionString: cannot be checked: write it as text',
  ],
  [
    'in a bucket',
    { Definition: undefined, DefinitionS3Location: { Bucket: 'b', Key: 'k' } },
    'Resources.Process: DefinitionS3Location is not supported',
  ],
])('a definition %s stops packaging', async (title, properties, message) => {
  const name = title.replaceAll(' ', '-');
  write(name, { properties });
  await expect(pack(name)).rejects.toThrow(`state-machines/${name}/serverless.yml: ${message}`);
});
