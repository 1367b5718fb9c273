import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A TCP port on which a process accepts connections. */
export interface ListeningPort {
  port: number;
  /** 127.0.0.1 of an IPv4 port, in full hexadecimal digits otherwise. */
  address: string;
  /** Name of the process, e.g. `node`. */
  process: string;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_net.5.html */
const LISTEN = '0A';

/**
 * Finds the ports of a process and of all of its descendants, as the kernel knows them.
 *
 * @param pid of the first process
 * @returns an entry for each socket
 * @example
 * listeningPortsOf(process.pid).map(({ port }) => port);
 */
export function listeningPortsOf(pid: number): ListeningPort[] {
  const sockets = listeningSockets();
  return descendantsOf(pid).flatMap((id) =>
    socketsOf(id).flatMap((inode) => {
      const socket = sockets.get(inode);
      return socket ? [{ ...socket, process: nameOf(id) }] : [];
    }),
  );
}

/** By inode. */
function listeningSockets(): Map<string, Pick<ListeningPort, 'port' | 'address'>> {
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1),
  );
  return new Map(
    lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === LISTEN)
      .map(([, local = '', , , , , , , , inode = '']) => {
        const [address = '', port = ''] = local.split(':');
        return [inode, { address: readableAddress(address), port: Number.parseInt(port, 16) }];
      }),
  );
}

/** IPv4 addresses are one number in the byte order of the machine, which is little-endian. */
function readableAddress(hexadecimal: string): string {
  return hexadecimal.length === 8 ? Buffer.from(hexadecimal, 'hex').reverse().join('.') : hexadecimal;
}

/** @returns the process itself and all below it */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (const id of found) found.push(...(children.get(id) ?? []));
  return found;
}

function parentOf(pid: number): number | undefined {
  const parent = /^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`))?.[1];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return []; // It has ended.
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // It has been closed.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}
