import { chunks } from '../../core/chunks.ts';
import type { Usage } from '../../core/usage.ts';

/** Counts a request to an HTTP API by the event it made and the answer it got. https://aws.amazon.com/api-gateway/pricing/ */
export function countHttpRequest(usage: Usage, functionName: string, request: string, answer: string): void {
  usage.add('httpApi.requests', functionName, chunks(Buffer.byteLength(request), 512));
  usage.add('httpApi.bytesOut', functionName, Buffer.byteLength(answer));
}
