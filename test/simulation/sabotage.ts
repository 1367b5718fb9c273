import type { AwsRequest } from './aws/network.ts';
import type { Container } from './container.ts';

/** How the system is broken on purpose: what it does not mention works as it does. */
export interface Sabotage {
  /** Replaces a request on its way, by another or by several one after the other; undefined leaves it as it is. */
  request?: (request: AwsRequest, container: Container) => AwsRequest[] | undefined;
  /** Replaces an answer. */
  answer?: (request: AwsRequest, output: object) => object;
  /** Whether the messages of a function are deleted before it runs. */
  acknowledgesFirst?: (functionName: string) => boolean;
  /** Whether a relay's records count as emitted whatever it answers. */
  ignoresStreamFailures?: boolean;
  /** Whether messages are deleted when this container receives them. */
  deletesOnReceive?: (container: Container) => boolean;
  /** Whether a rule has no such target. */
  losesTarget?: (detailType: string, queue: string) => boolean;
  /** Whether no schedule ever runs. */
  losesSchedules?: boolean;
  /** Whether nothing looks for orders whose time is over. */
  neverSweeps?: boolean;
  /** Replaces the key of a charge. */
  chargeKey?: (key: string, container: Container) => string;
  /** Whether refunds are never asked for, and told of all the same. */
  forgetsRefunds?: boolean;
  /** Replaces what a function is invoked with. */
  event?: (functionName: string, event: object) => object;
}
