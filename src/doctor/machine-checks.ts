import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { dataDirectory } from '../config/data-directory';
import type { Settings } from '../config/settings';
import { advice, type Check, type Finding, ok, problem } from './check';

/** Connections of clients, and of a few others. */
const LEAST_FILES = 4096;
const MIB = 1024 * 1024;
/** What a process of the service takes, and some room. */
const LITTLE_MEMORY_MIB = 256;
const LITTLE_DISK_MIB = 2048;
const TOO_LITTLE_DISK_MIB = 256;
/** Last day on which a version of Node gets security fixes: its release schedule. */
const END_OF_LIFE: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** The machine that this runs on, which is that of the service if it is asked there. */
export function machineChecks(settings: Settings): Check[] {
  return [
    { name: 'open-files', look: openFilesFinding },
    { name: 'memory', look: memoryFinding },
    ...(settings.embedded ? [{ name: 'disk', look: () => diskFinding(settings) }] : []),
    { name: 'node', look: () => nodeFinding(process.versions.node, enginesNode(), new Date()) },
  ];
}

/** Nothing to say where the system does not tell it. */
function openFilesFinding(): Finding | [] {
  if (process.platform !== 'linux') return [];
  // Node has taken all that it may have.
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, limit = ''] = /^Max open files +(\S+)/m.exec(limits) ?? [];
  return limit === 'unlimited' || Number(limit) >= LEAST_FILES
    ? ok(`A process may have ${limit} files and connections open`)
    : advice(
        `A process may have ${limit} files and connections open: with more clients, some are not answered`,
        'Raise it for the service: LimitNOFILE of systemd, or ulimits of the container',
      );
}

function memoryFinding(): Finding {
  const mib = Math.floor(process.availableMemory() / MIB);
  return mib >= LITTLE_MEMORY_MIB
    ? ok(`${String(mib)} MiB of memory are free`)
    : advice(
        `Only ${String(mib)} MiB of memory are free`,
        'Give it more, or find who takes it: a process of the service needs 200 MiB',
      );
}

async function diskFinding(settings: Settings): Promise<Finding> {
  const directory = dataDirectory(settings);
  const { bavail, bsize } = await statfs(directory);
  const mib = Math.floor((bavail * bsize) / MIB);
  const found = `${String(mib)} MiB are free where the embedded database is (${directory})`;
  if (mib >= LITTLE_DISK_MIB) return ok(found);
  const todo = 'Make room, or move DATA_DIR to a larger disk: PostgreSQL stops when it is full';
  return mib >= TOO_LITTLE_DISK_MIB ? advice(found, todo) : problem(found, todo);
}

/** Which versions the service is for. */
function enginesNode(): string {
  const manifest = readFileSync(join(__dirname, '../../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { engines: { node: string } }).engines.node;
}

/**
 * @param version of Node, such as `24.11.0`
 * @param range that it has to be of, as package.json has it: `^20.19 || >=24.11`
 */
export function nodeFinding(version: string, range: string, now: Date): Finding {
  const [major = 0] = version.split('.').map(Number);
  if (!isAllowed(version, range)) {
    return problem(
      `Node ${version} is not one that the service is for (${range})`,
      'Install the newest of Node 24',
    );
  }
  const end = END_OF_LIFE[major];
  return end !== undefined && now > new Date(`${end}T23:59:59Z`)
    ? advice(
        `Node ${version} has had no security fixes since ${end}`,
        'Install the newest of Node 24, and restart the service',
      )
    : ok(`Node ${version}`);
}

function isAllowed(version: string, range: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return range.split(' || ').some((part) => {
    const [, sign, least = '', leastMinor = '0'] = /^(\^|>=)(\d+)\.(\d+)$/.exec(part) ?? [];
    const isSame = major === Number(least) && minor >= Number(leastMinor);
    return sign === '^' ? isSame : isSame || (sign === '>=' && major > Number(least));
  });
}
