/**
 * Makes a write that must not stop what it tells of, such as logs and metrics. When it fails, for example because the disk is full,
 * its data are lost: that is warned of, once until a write succeeds again.
 *
 * @param failure what it means, the beginning of the warning
 * @example const flush = expendable('Log lines are lost', host.warn, () => store.append(lines));
 */
export function expendable(failure: string, warn: (line: string) => void, write: () => void): () => void {
  let isFailing = false;
  return () => {
    try {
      write();
      isFailing = false;
    } catch (error) {
      if (!isFailing) warn(`${failure}: ${(error as Error).message}`);
      isFailing = true;
    }
  };
}
