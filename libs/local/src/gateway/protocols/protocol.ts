import type { AwsError } from '../../core/aws-error.ts';
import type { HttpAnswer, HttpRequest } from '../../core/http-message.ts';
import type { AwsService, Call } from '../../core/service.ts';

/** How a service's operations are carried by HTTP. */
export interface Protocol {
  /** @throws AwsError for a request that cannot be read */
  read(request: HttpRequest, service: AwsService): Pick<Call, 'operation' | 'input'>;
  answer(output: unknown, operation: string, request: HttpRequest): HttpAnswer;
  /** @param contentType of the request */
  error(error: AwsError, contentType: string): HttpAnswer;
}
