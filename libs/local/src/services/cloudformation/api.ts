import { randomUUID } from 'node:crypto';
import type { Stack } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { escapeXml } from '../../core/xml.ts';

/**
 * The part of CloudFormation's API that tells what the stacks of this machine export and are made of: `sls invoke local`
 * asks it for the values of a function's environment.
 *
 * @param input `StackName` for ListStackResources
 * @returns the response body
 * @throws AwsError ValidationError for a stack that is not there, InvalidAction for any other operation
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
 */
export function answerCloudFormation(stacks: readonly Stack[], action: string, { StackName: name }: Input): string {
  switch (action) {
    case 'ListExports':
      return xml(action, { Exports: stacks.flatMap(exportsOf) });
    case 'ListStackResources': {
      const stack = stacks.find((candidate) => candidate.name === name);
      if (!stack) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
      return xml(action, { StackResourceSummaries: resourcesOf(stack) });
    }
    default:
      throw new AwsError('InvalidAction', `CloudFormation ${action} is not available on this machine`);
  }
}

type Member = Record<string, string>;

function exportsOf(stack: Stack): Member[] {
  return [...stack.exports()].map(([Name, output]) => ({
    ExportingStackId: stack.name,
    Name,
    Value: String(stack.output(output)),
  }));
}

function resourcesOf(stack: Stack): Member[] {
  return stack.resources().map(({ logicalId, type }) => ({
    LogicalResourceId: logicalId,
    PhysicalResourceId: stack.ref(logicalId),
    ResourceType: type,
    ResourceStatus: 'CREATE_COMPLETE',
  }));
}

/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
function xml(action: string, lists: Record<string, Member[]>): string {
  const element = (name: string, content: string) => `<${name}>${content}</${name}>`;
  const content = Object.entries(lists).map(([name, members]) => {
    const fields = (member: Member) => Object.entries(member).map(([key, value]) => element(key, escapeXml(value)));
    return element(name, members.map((member) => element('member', fields(member).join(''))).join(''));
  });
  return (
    `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">` +
    `${element(`${action}Result`, content.join(''))}` +
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`
  );
}
