import { existsSync, readFileSync } from 'node:fs';
import { descendantsOf } from '../listening-ports.ts';

/** Used since a process was started. */
export interface ProcessUsage {
  /** User and system time. */
  cpuMs: number;
  /** Resident memory at its peak. */
  peakMiB: number;
}

/**
 * What a process and all below it have used so far: an older version of the local cloud has its database in a process of its own.
 *
 * @returns undefined where the system has no /proc
 * @example usageOf(ready.pid)?.cpuMs
 */
export function usageOf(pid: number): ProcessUsage | undefined {
  if (!existsSync('/proc/self/stat')) return undefined;
  const all = descendantsOf(pid).map(usageOfOne);
  return {
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    peakMiB: all.reduce((sum, { peakMiB }) => sum + peakMiB, 0),
  };
}

function usageOfOne(pid: number): ProcessUsage {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // Ticks of 10 ms, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, peakMiB: Number(peak ?? 0) / 1024 };
  } catch {
    return { cpuMs: 0, peakMiB: 0 }; // It has just ended.
  }
}
