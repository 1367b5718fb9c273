import type { MessagePort } from 'node:worker_threads';
import type { DirectRequest } from '../../../core/http-message.ts';

export interface WorkerData {
  functionName: string;
  functionVersion: string;
  /** As in the function's configuration: `src/handlers/post-order.handler`. */
  handler: string;
  codeDirectory: string;
  memoryMb: number;
  logGroupName: string;
  logStreamName: string;
  /** Origin whose AWS APIs the container itself leads to; requests to it go over HTTP where this is undefined. */
  awsUrl: string | undefined;
}

/** An invocation. */
export interface InvokeMessage {
  requestId: string;
  /** The event as JSON. */
  payload: string;
  /** Epoch milliseconds. */
  deadline: number;
  /** X-Ray's. */
  traceId: string;
  /** JSON in base64. */
  clientContext: string | undefined;
  invokedArn: string;
}

/** An error as Lambda answers it. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** What comes in: invocations, and answers to the function's requests to AWS. */
export type ContainerMessage =
  | ({ type: 'invoke' } & InvokeMessage)
  | { type: 'answer'; id: number; answer: PortAnswer }
  /** A part of a body that is a stream. */
  | { type: 'part'; id: number; part: Uint8Array }
  /** The end of a body that is a stream, with the reason why it was cut off. */
  | { type: 'end'; id: number; error?: string }
  /** Asks a container of a shared thread to end. */
  | { type: 'exit' };

/** Starts a container in a shared thread. */
export interface StartMessage {
  data: WorkerData;
  environment: Record<string, string>;
  /** The container's own way in and out. */
  port: MessagePort;
}

/** An answer of AWS. Without a body, its parts follow. */
export interface PortAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body?: string | Uint8Array;
}

/** What a container sends back. `ready` ends the init phase, `failed` ends the container. */
export type WorkerMessage =
  | { type: 'ready' }
  | { type: 'failed'; heading: string; error: FunctionError }
  | { type: 'result'; requestId: string; payload: string }
  | { type: 'error'; requestId: string; error: FunctionError }
  | { type: 'request'; id: number; request: DirectRequest }
  /** The function does not wait for an answer any more. */
  | { type: 'cancel'; id: number }
  /** A container of a shared thread has ended. */
  | { type: 'exited'; code: number }
  | { type: 'output'; stream: 'stdout' | 'stderr'; text: string };
