/** What the input of a durable function has that goes on in place of an execution that has stopped. */
export interface Resumed {
  resume?: {
    /** Executions before it. */
    count: number;
  };
}

/**
 * The execution of a durable function that goes on in place of one that has stopped: Lambda cannot resume it. Its input is that of the
 * stopped one, with what that has left in the `ErrorData` of its error as `resume`. Its name ends with a number, so that it starts once.
 *
 * @param stopped `errorData` is undefined when an operator has stopped it, or its time was over: then the next one begins with the first
 *   step again. Give steps idempotency keys that do not contain the execution's name, so that those that are done answer as they did
 * @throws SyntaxError for `errorData` that is not JSON
 * @example nextExecution({ name: 'order-1', input: { order }, errorData: '{"at":"ConfirmOrder"}' });
 * // { name: 'order-1-1', input: { order, resume: { at: 'ConfirmOrder', count: 1 } } }
 */
export function nextExecution<Input extends Resumed>({
  name,
  input,
  errorData,
}: {
  name: string;
  input: Input;
  errorData?: string | undefined;
}): { name: string; input: Input } {
  const { count = 0 } = input.resume ?? {};
  const first = count === 0 ? name : name.slice(0, -`-${count}`.length);
  const progress = errorData === undefined ? {} : (JSON.parse(errorData) as object);
  return { name: `${first}-${count + 1}`, input: { ...input, resume: { ...progress, count: count + 1 } } };
}
