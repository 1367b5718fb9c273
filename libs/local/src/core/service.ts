import type { IncomingHttpHeaders } from 'node:http';
import type { Stack, ResourceType as TemplateResourceType } from '@millrace/cloudformation';
import type { Caller } from '@millrace/iam-policy';
import type { AccessOf, Input } from './access.ts';
import type { Authorizer } from './authorizer.ts';
import { AwsError } from './aws-error.ts';
import type { Clock } from './clock.ts';
import type { Deliver, Delivery } from './delivery.ts';
import type { AnswerDirect, HttpAnswer, HttpRequest } from './http-message.ts';
import type { RoleSession } from './identities.ts';
import type { Messages } from './messages.ts';
import type { MetricReport } from './observations.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import type { Meter, Usage } from './usage.ts';

/** What a request asks for. */
export interface ReadRequest {
  operation: string;
  input: Input;
  /** Where the request carries it elsewhere than in a header or its URL, e.g. in a form. */
  accessKeyId?: string | undefined;
}

/** A request that has been read, identified and authorized. */
export interface Call {
  operation: string;
  input: Input;
  caller: Caller;
  /** What the request is signed with, or the role of `host.call`; undefined for a request without a signature. */
  accessKeyId: string | undefined;
  request: HttpRequest;
  /** The call is counted: the service may ask for what `meter` needs. */
  isMetered: boolean;
}

/**
 * Carries calls out.
 * @returns the operation's output, for the protocol of the request, or an HttpAnswer
 * @throws AwsError
 */
export type Api = (call: Call) => unknown;

/** One operation of a service. */
export type Operation = (input: Input, caller: Caller) => unknown;

/** The operations of a service, by name. */
export type Operations = Readonly<Record<string, Operation>>;

/**
 * Makes an API of operations.
 * @param title of the service, for the answer to an operation that it does not have
 */
export function apiOf(title: string, operations: Operations): Api {
  return ({ operation, input, caller }) => {
    if (!Object.hasOwn(operations, operation)) {
      throw new AwsError('UnknownOperationException', `${title} ${operation} is not available on this machine`);
    }
    return operations[operation]?.(input, caller);
  };
}

/** How operations are carried by HTTP. */
export interface Protocol {
  /** True if a request uses it. Asked where a service speaks several protocols. */
  matches(headers: IncomingHttpHeaders): boolean;
  /** @throws AwsError for a request that cannot be read */
  read(request: HttpRequest, service: AwsService): ReadRequest;
  answer(output: unknown, operation: string, request: HttpRequest, service: AwsService): HttpAnswer;
  /**
   * @param headers of the request
   * @param request as far as it has been read
   */
  error(error: AwsError, headers: IncomingHttpHeaders, request: Pick<HttpRequest, 'id' | 'target'>): HttpAnswer;
}

/** The protocols that the gateway knows. */
export type ProtocolName = 'json' | 'query' | 'rest' | 'restXml';

/**
 * How an operation is called over HTTP.
 * https://smithy.io/2.0/spec/http-bindings.html
 */
export interface RestRoute {
  operation: string;
  method: string;
  /** e.g. `/schedules/{Name}`: the labels are members of the input. */
  path: string;
  /** Members of the input by their names in the query string: `Name`, `Names[]` of a list, `MaxResults#` of a number. */
  query?: Readonly<Record<string, string>>;
  /** Members of the input by the names of headers, in lower case. */
  headers?: Readonly<Record<string, string>>;
  /** The member that is the body as it came, as a Buffer. Without it the body is a document with the members. */
  payload?: string;
  /** Of an answer without an error: 200 unless given. */
  status?: number;
}

/** A call that a service makes for one of its resources, e.g. for a schedule whose time has come. */
export interface RoleCall {
  /** As in a request's signature: `sqs`, `events`, `states`. */
  service: string;
  operation: string;
  input: Input;
  /** The role whose permissions it has. The service of `sourceArn` assumes it. */
  roleArn: string;
  /** The resource that it is made for. */
  sourceArn: string;
  /** What trust policies have in `aws:SourceArn`; `sourceArn` unless given. Schedules have their group there. */
  trustedSourceArn?: string;
}

/** Where a service runs, and what it may use of the others. */
export interface Host {
  readonly accountId: string;
  readonly region: string;
  /** Origin of the AWS port. */
  readonly awsUrl: string;
  /** Answers what functions send to the AWS port, without the port. They send it over HTTP where this is undefined. */
  readonly answerDirect?: AnswerDirect | undefined;
  /** Where state is kept over restarts; in memory without it. */
  readonly dataDirectory: string | undefined;
  /** Where code is kept that was compiled or packaged. */
  readonly cacheDirectory: string;
  readonly clock: Clock;
  /** The folder with the bundle of a function; undefined when it has not been packaged. */
  readonly codeOf: (functionName: string) => string | undefined;
  /** What the runtime was started with. */
  readonly options: RuntimeOptions;
  readonly authorizer: Authorizer;
  /** Counts what is used; nothing is counted without it. */
  readonly usage: Usage | undefined;
  /** E-mails and SMS that were sent. */
  readonly messages: Messages;
  /** Gives the port of the HTTP APIs free, which is kept from other processes until then. */
  readonly releaseApiPort: () => Promise<void>;
  /** Sends a payload to a target: the one way for rules, pipes, schedules, alarms and destinations. */
  readonly deliver: Deliver;
  /**
   * Calls an operation of a service of this cloud, with the permissions of a role: the one way for universal targets and integrations.
   * @throws AwsError as the service answers it, or for a missing permission
   * @example
   * await host.call({ service: 'sqs', operation: 'SendMessage', input: { QueueUrl, MessageBody }, roleArn, sourceArn });
   */
  readonly call: (call: RoleCall) => Promise<unknown>;
  /**
   * True if a role's trust policy lets a principal assume it, or if no template has the role.
   * @param principal a service, e.g. `scheduler.amazonaws.com`, or the ARN of a role or user
   * @param sourceArn the resource that a service works for, or the ARN of the session
   */
  readonly mayAssume: (roleArn: string, principal: string, sourceArn: string) => boolean;
  /**
   * Starts a session of a role: requests with its access key id have the role's permissions until it expires.
   * @returns the access key id; undefined when no template has the role
   */
  readonly addSession: (session: RoleSession) => string | undefined;
  /** Reports a value of a CloudWatch metric. */
  readonly metric: (report: MetricReport) => void;
  /** Gets what is reported from now on. */
  readonly onMetric: (listener: (report: MetricReport) => void) => void;
  /** True if a service of this cloud reports a metric of AWS's own namespaces. */
  readonly reportsMetric: (namespace: string, name: string) => boolean;
  /**
   * Resolves once all resources are there and all services are active: what a service has kept to deliver can arrive from then on.
   * Does not resolve if the start fails.
   */
  readonly whenActive: Promise<void>;
  /** True if `deliver` knows the service of a target. */
  readonly isTarget: (arn: string) => boolean;
  /** What a service offers the others. It must be started before this one. */
  readonly handleOf: <Handle>(service: AwsService<Handle>) => Handle;
  /** Something works differently than it was asked for, is not allowed, or is lost. */
  readonly warn: (line: string) => void;
}

/** A resource of a template, with its properties resolved. */
export interface DeclaredResource {
  readonly stack: Stack;
  readonly type: string;
  readonly logicalId: string;
  /** The physical name. */
  readonly name: string;
  readonly properties: Input;
}

/**
 * How a resource type behaves on this machine. Without `create` and `inert`, its service makes something of all its resources
 * at once, in `activate`.
 */
export interface ResourceType<Handle = unknown> extends TemplateResourceType {
  /** Why the type has no effect on this machine. */
  inert?: string;
  /**
   * The properties that have the effect they have at AWS, and those that need none here, such as tags. A template that has any
   * other is warned of. Not of a type that is inert.
   */
  properties?: readonly string[];
  /** True for a resource that nothing on this machine uses: it is neither created nor warned of. */
  isLeftOut?(logicalId: string): boolean;
  /**
   * Creates a resource, or takes over the one of an earlier start.
   * @returns the attributes that are known only now
   * @throws Error with the service's reason
   */
  create?(
    resource: DeclaredResource,
    handle: Handle,
    host: Host,
  ): Promise<Readonly<Record<string, string>> | undefined> | Promise<void>;
  /** What of a resource works differently here, e.g. `gets nothing: …`. Its name is put before it. */
  warnings?(resource: DeclaredResource, host: Pick<Host, 'isTarget'>): readonly string[];
}

/** One call that is over, for the bill. */
export interface MeteredCall extends Pick<Call, 'operation' | 'input'> {
  functionName: string;
  output: unknown;
}

/** A service that has been started. Disposing of it ends everything it has started. */
export interface RunningService<Handle> extends AsyncDisposable {
  /** What other services may call. */
  handle: Handle;
  api?: Api;
  /** Takes what is delivered to its resources. */
  deliver?: Delivery;
  /**
   * True if a resource that can be delivered to is there. Asked before the sender's permission: what is not there has no policy, and
   * would be said to refuse. Without it, `deliver` tells.
   */
  isThere?: (arn: string) => boolean;
  /** Counts a call of a function. */
  meter?: (usage: Usage, call: MeteredCall) => void;
  /** The policy of a resource as JSON, if it has one. */
  policyOf?: (arn: string) => string | undefined;
  /**
   * Called once, when the resources that are created one by one are there: makes what the service makes of all stacks together, and
   * starts what happens by itself.
   * @throws TemplateError
   */
  activate?: (stacks: readonly Stack[]) => void | Promise<void>;
  /** Called when the runtime stops, before any service is ended: stops what happens by itself, as others are about to end. */
  deactivate?: () => void | Promise<void>;
  /** What a console shows: JSON. */
  console?: () => unknown;
}

/** A service of the local cloud. */
export interface AwsService<Handle = unknown> {
  /** As in a request's signature and in ARNs. */
  name: string;
  /** What differs from AWS, one sentence or two each. */
  differences?: readonly string[];
  /**
   * The protocols of its requests. The first is that of a request which matches none of them. A service whose documents are not what a
   * protocol usually has brings its own. Without any, nothing on the port leads here.
   */
  protocols?: readonly (ProtocolName | Protocol)[];
  /** Of the JSON protocol: the parts of X-Amz-Target before the operation. */
  targets?: readonly string[];
  /** Of the REST protocol: how requests map to operations. Without them an operation is `<method> <path>`. */
  routes?: readonly RestRoute[];
  /** True for the requests that are for this service although they are not signed. */
  takesUnsigned?: (request: Pick<HttpRequest, 'method' | 'url' | 'headers'>) => boolean;
  /** Bodies may be large: the service reads them itself. */
  streamsBody?: true;
  /**
   * How a request is read where the protocol alone does not say it.
   * @throws AwsError for a request that is not valid, or whose signature is not
   */
  read?(request: HttpRequest, handle: Handle): ReadRequest | Promise<ReadRequest>;
  resourceTypes: Readonly<Record<string, ResourceType<Handle>>>;
  access: AccessOf;
  /** How a missing permission is answered: AccessDeniedException with status 400 unless given. */
  refusal?: { code: string; status: number };
  /** What a sender needs permission for, to deliver to a resource of this service. Nothing without it. */
  deliveryAction?: string;
  /** The CloudWatch metrics that it reports, by namespace. */
  metrics?: Readonly<Record<string, readonly string[]>>;
  /** What its meters count; in brackets what the resource is. */
  meters?: Readonly<Partial<Record<Meter, string>>>;
  start(host: Host): Promise<RunningService<Handle>>;
}
