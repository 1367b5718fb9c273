import type { EventSourceMappingSettings } from './event-source-mapping.ts';
import type { ShardCheckpoint } from './shard-checkpoint.ts';
import type { StreamBatchContext } from './stream-batch.ts';
import type { SourceRecord } from './stream-source.ts';
import { isTooLarge, type OpenWindow, stateIn, windowAt, windowMembers } from './tumbling-window.ts';

export interface ShardWindowsOptions
  extends Pick<
    StreamBatchContext,
    'clock' | 'functionArn' | 'invoke' | 'retryDelay' | 'onWarning' | 'source' | 'shardId'
  > {
  settings: () => EventSourceMappingSettings;
}

/**
 * The tumbling windows of a shard, one after the other. Without TumblingWindowInSeconds there are none, and records are handled as they
 * are read. The state of the window that is open is in the shard's checkpoint, so that a restart goes on with it.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
export class ShardWindows {
  readonly #checkpoint: ShardCheckpoint;
  readonly #options: ShardWindowsOptions;

  constructor(checkpoint: ShardCheckpoint, options: ShardWindowsOptions) {
    this.#checkpoint = checkpoint;
    this.#options = options;
  }

  /** Handles records window by window. A window ends with the first record of a later one. */
  async each(
    records: readonly SourceRecord[],
    signal: AbortSignal,
    handle: (records: SourceRecord[], window: OpenWindow | undefined) => Promise<void>,
  ): Promise<void> {
    const seconds = this.#options.settings().TumblingWindowInSeconds ?? 0;
    if (seconds === 0) {
      await this.close(signal);
      if (!signal.aborted) await handle([...records], undefined);
      return;
    }
    for (let rest = records; rest.length > 0 && !signal.aborted; ) {
      const window = windowAt(this.#timeOf(rest[0]), seconds);
      const later = rest.findIndex((record) => this.#timeOf(record) >= window.end);
      const part = later === -1 ? rest : rest.slice(0, later);
      if (this.#checkpoint.window && this.#checkpoint.window.start !== window.start) await this.close(signal);
      if (signal.aborted) return;
      this.#checkpoint.window ??= window;
      await handle([...part], this.#checkpoint.window);
      rest = rest.slice(part.length);
    }
  }

  /**
   * Ends the window that is over, once a read has found no more records of it.
   * @param readAt when, by the stream's clock, that read began
   */
  async closeDue(readAt: number, signal: AbortSignal): Promise<void> {
    const { window } = this.#checkpoint;
    if (window && readAt >= window.end) await this.close(signal);
  }

  /** Ends the window that is open: calls the function with its state until that succeeds. */
  async close(signal: AbortSignal): Promise<void> {
    const { window } = this.#checkpoint;
    if (!window || !(await this.#finish(window, { isFinal: true }, signal))) return;
    this.#checkpoint.window = undefined;
    await this.#checkpoint.saveWindow();
  }

  /** Ends the window early if its state is too large: it goes on with an empty one. */
  async limit(signal: AbortSignal): Promise<void> {
    const { window } = this.#checkpoint;
    if (!window || !isTooLarge(window.state) || !(await this.#finish(window, { isEarly: true }, signal))) return;
    window.state = {};
    await this.#checkpoint.saveWindow();
  }

  /** @returns false if the signal has aborted before the function succeeded */
  async #finish(
    window: OpenWindow,
    how: { isFinal?: boolean; isEarly?: boolean },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, functionArn, invoke, retryDelay, onWarning, source, shardId } = this.#options;
    const members = windowMembers(window, { shardId, streamArn: source.arn }, how);
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const { functionError, payload } = await invoke(JSON.stringify({ Records: [], ...members }));
        if (!functionError && stateIn(payload)) return true;
      } catch (error) {
        onWarning(`Cannot invoke ${functionArn}: ${(error as Error).message}`);
      }
      await clock.sleep(retryDelay(failures), signal).catch(() => undefined);
    }
    return false;
  }

  #timeOf(record: SourceRecord | undefined): number {
    return record?.arrivedAt ?? this.#options.source.now();
  }
}
