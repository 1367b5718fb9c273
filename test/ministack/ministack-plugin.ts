import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { callAws } from './aws-call.ts';
import type { Gap } from './gap.ts';

interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, unknown>;
}

/** The parts of osls that this plugin reads or replaces. */
interface Osls {
  getProvider(name: 'aws'): { naming: { getStackName(): string } };
  service: {
    service: string;
    resources?: { Resources?: Record<string, Resource> };
    provider: { compiledCloudFormationTemplate: Template };
  };
  pluginManager: {
    plugins: {
      constructor: { name: string };
      validateTemplate?: () => Promise<void>;
      checkStackProgress?: (action: string, stack: { StackId: string }) => Promise<string>;
    }[];
  };
}

const ACCOUNT = 'us-east-1:000000000000';

/** What nothing else in a stack needs: the catalog of the lake, which only Athena reads, and the stream into which errors of a delivery go. */
const unknownTypes = [
  'AWS::Athena::NamedQuery',
  'AWS::Athena::WorkGroup',
  'AWS::Glue::Table',
  'AWS::Glue::Database',
  'AWS::Logs::LogStream',
];

/**
 * Closes gaps of MiniStack's CloudFormation, so that the real `sls deploy` runs against it; `npm run test:ministack` adds this
 * plugin to its copy of each serverless.yml, and nothing else does. What CloudFormation there does not know it makes
 * through the service's own API, or leaves out. Each gap it meets goes into the file that MILLRACE_DEPLOY_GAPS names.
 */
export default class MiniStackPlugin {
  readonly hooks: Record<string, () => Promise<void> | void>;
  readonly #serverless: Osls;
  readonly #endpoint: string;

  constructor(serverless: Osls) {
    this.#serverless = serverless;
    this.#endpoint = process.env.AWS_ENDPOINT_URL ?? '';
    // Nobody's real account is for this.
    if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(this.#endpoint)) throw new Error('AWS_ENDPOINT_URL is not on this machine');
    this.hooks = {
      initialize: () => {
        this.#validateByBody();
        this.#waitByStatus();
      },
      'before:aws:package:finalize:saveServiceState': () => this.#leaveOutUnknownTypes(),
      'after:aws:deploy:deploy:updateStack': () => this.#makeWhatIsMissing(),
      'before:remove:remove': () => this.#removeArchives(),
    };
  }

  get #template(): Template {
    return this.#serverless.service.provider.compiledCloudFormationTemplate;
  }

  /** The stack's own archives: they stand in serverless.yml, and no longer in the template. */
  get #archives(): [id: string, properties: Record<string, unknown>][] {
    return ofType(this.#serverless.service.resources?.Resources ?? {}, 'AWS::Events::Archive');
  }

  #validateByBody(): void {
    for (const plugin of this.#serverless.pluginManager.plugins) {
      if (plugin.constructor.name !== 'AwsDeploy') continue;
      plugin.validateTemplate = async () => {
        const TemplateBody = JSON.stringify(this.#template);
        const form = { Action: 'ValidateTemplate', Version: '2010-05-15', TemplateBody };
        await callAws(this.#endpoint, { service: 'cloudformation', form });
        this.#note(
          'CloudFormation ValidateTemplate',
          'closed',
          'takes no TemplateURL: the template is sent as the body',
        );
      };
    }
  }

  #waitByStatus(): void {
    for (const plugin of this.#serverless.pluginManager.plugins) {
      if (!plugin.checkStackProgress) continue;
      plugin.checkStackProgress = async (action, { StackId }) => {
        const reason =
          'mixes up the events of one second, so osls may wait for ever: the status of the stack is asked for';
        this.#note('CloudFormation DescribeStackEvents', 'closed', reason);
        for (;;) {
          await delay(200);
          const status = await this.#statusOf(StackId);
          // A stack that is gone is no longer found by its name.
          if (status === undefined && action === 'delete') return 'DELETE_COMPLETE';
          if (status === undefined) throw new Error(`There is no stack ${StackId}`);
          if (status.endsWith('_IN_PROGRESS')) continue;
          if (/^(CREATE|UPDATE|DELETE)_COMPLETE$/.test(status)) return status;
          const events = await this.#cloudFormation('DescribeStackEvents', StackId);
          const reasons = [...events.matchAll(/<ResourceStatusReason>([^<]+)/g)].map(([, text]) => text);
          throw new Error(`${StackId} is ${status}: ${reasons.join('; ')}`);
        }
      };
    }
  }

  async #statusOf(stackNameOrId: string): Promise<string | undefined> {
    const answer = await this.#cloudFormation('DescribeStacks', stackNameOrId).catch((error: Error) => {
      if (error.message.includes('does not exist')) return '';
      throw error;
    });
    return /<StackStatus>([^<]+)/.exec(answer)?.[1];
  }

  #cloudFormation(Action: string, StackName: string): Promise<string> {
    const form = { Action, Version: '2010-05-15', StackName };
    return callAws(this.#endpoint, { service: 'cloudformation', form });
  }

  #leaveOutUnknownTypes(): void {
    for (const [id, { ArchiveName }] of this.#archives) {
      delete this.#template.Resources[id];
      const arn = `arn:aws:events:${ACCOUNT}:archive/${ArchiveName}`;
      this.#template.Outputs = replaceGetAtt(this.#template.Outputs ?? {}, id, arn) as Record<string, unknown>;
    }
    for (const type of unknownTypes) {
      for (const [id, { LogStreamName }] of ofType(this.#template.Resources, type)) {
        delete this.#template.Resources[id];
        this.#template.Resources = replaceRef(this.#template.Resources, id, LogStreamName) as Template['Resources'];
        this.#note(type, 'left out', 'is unknown');
      }
    }
    for (const [id, { Metrics }] of ofType(this.#template.Resources, 'AWS::CloudWatch::Alarm')) {
      if (Metrics === undefined) continue;
      delete this.#template.Resources[id];
      this.#note('AWS::CloudWatch::Alarm with Metrics', 'left out', 'is refused: no metric math');
    }
  }

  async #makeWhatIsMissing(): Promise<void> {
    const made = await this.#resourcesOfStack();
    for (const [id, properties] of ofType(this.#template.Resources, 'AWS::SQS::Queue')) {
      // One with a condition may not be there.
      if (!made.includes(id)) continue;
      const { QueueName, RedrivePolicy, SqsManagedSseEnabled } = properties;
      const Attributes = {
        ...(RedrivePolicy ? { RedrivePolicy: JSON.stringify(this.#resolveRedrivePolicy(RedrivePolicy)) } : {}),
        ...(SqsManagedSseEnabled === undefined ? {} : { SqsManagedSseEnabled: String(SqsManagedSseEnabled) }),
      };
      if (Object.keys(Attributes).length === 0) continue;
      const QueueUrl = `${this.#endpoint}/000000000000/${QueueName}`;
      const json = { QueueUrl, Attributes };
      await callAws(this.#endpoint, { service: 'sqs', target: 'AmazonSQS.SetQueueAttributes', json });
      this.#note('AWS::SQS::Queue', 'closed', 'ignores RedrivePolicy and encryption: SetQueueAttributes sets them');
    }
    for (const [, { ArchiveName, RetentionDays, Description }] of this.#archives) {
      if ((await this.#existingArchives()).includes(String(ArchiveName))) continue;
      const bus = Object.values(this.#template.Resources).find(({ Type }) => Type === 'AWS::Events::EventBus');
      const EventSourceArn = `arn:aws:events:${ACCOUNT}:event-bus/${bus?.Properties?.Name}`;
      const json = { ArchiveName, EventSourceArn, Description, RetentionDays };
      await callAws(this.#endpoint, { service: 'events', target: 'AWSEvents.CreateArchive', json });
      this.#note('AWS::Events::Archive', 'closed', 'is unknown: CreateArchive makes it');
    }
  }

  async #removeArchives(): Promise<void> {
    const existing = await this.#existingArchives();
    for (const [, { ArchiveName }] of this.#archives) {
      if (!existing.includes(String(ArchiveName))) continue;
      await callAws(this.#endpoint, { service: 'events', target: 'AWSEvents.DeleteArchive', json: { ArchiveName } });
    }
  }

  async #resourcesOfStack(): Promise<string[]> {
    const name = this.#serverless.getProvider('aws').naming.getStackName();
    const answer = await this.#cloudFormation('ListStackResources', name);
    return [...answer.matchAll(/<LogicalResourceId>([^<]+)</g)].map(([, id = '']) => id);
  }

  async #existingArchives(): Promise<string[]> {
    const answer = await callAws(this.#endpoint, { service: 'events', target: 'AWSEvents.ListArchives' });
    return (JSON.parse(answer) as { Archives: { ArchiveName: string }[] }).Archives.map(
      (archive) => archive.ArchiveName,
    );
  }

  #resolveRedrivePolicy(policy: unknown): { deadLetterTargetArn: string; maxReceiveCount: number } {
    const { deadLetterTargetArn, maxReceiveCount } = policy as {
      deadLetterTargetArn: { 'Fn::GetAtt': [id: string, attribute: string] };
      maxReceiveCount: number;
    };
    const [id] = deadLetterTargetArn['Fn::GetAtt'];
    const name = this.#template.Resources[id]?.Properties?.QueueName;
    return { deadLetterTargetArn: `arn:aws:sqs:${ACCOUNT}:${name}`, maxReceiveCount };
  }

  #note(what: string, how: Gap['how'], reason: string): void {
    const gap: Gap = { what, how, reason, service: this.#serverless.service.service };
    appendFileSync(process.env.MILLRACE_DEPLOY_GAPS ?? '', `${JSON.stringify(gap)}\n`);
  }
}

function ofType(resources: Record<string, Resource>, type: string): [string, Record<string, unknown>][] {
  return Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) =>
    Type === type ? [[id, Properties] as [string, Record<string, unknown>]] : [],
  );
}

/** A value in which every `Fn::GetAtt` of one resource is the ARN. */
function replaceGetAtt(value: unknown, id: string, arn: string): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceGetAtt(item, id, arn));
  if (typeof value !== 'object' || value === null) return value;
  const attribute = (value as { 'Fn::GetAtt'?: unknown })['Fn::GetAtt'];
  if (Array.isArray(attribute) && attribute[0] === id) return arn;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceGetAtt(inner, id, arn)]));
}

/** A value in which every `Ref` of one resource is another value. */
function replaceRef(value: unknown, id: string, other: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceRef(item, id, other));
  if (typeof value !== 'object' || value === null) return value;
  if ((value as { Ref?: unknown }).Ref === id) return other;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceRef(inner, id, other)]));
}
