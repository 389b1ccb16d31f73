import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, statSync } from 'node:fs';
import { chmod, chown, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import type { TestDatabase } from './database';
import { waitUntil } from './service';

const PORT = 6432;

/** Debian's PgBouncer in transaction mode, before a database of the run's server. */
export class PgBouncer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly directory: string,
    private readonly database: TestDatabase,
  ) {}

  /** Whether it is installed here; says so where it is not. */
  static get isThere(): boolean {
    try {
      execFileSync('pgbouncer', ['--version'], { env: environment() });
      return true;
    } catch (error) {
      process.stderr.write(`skipped: behind PgBouncer (it is not there: ${String(error)})\n`);
      return false;
    }
  }

  /**
   * @param connections that it has to PostgreSQL, at most
   * @param more of its settings, a line each
   */
  static async before(
    database: TestDatabase,
    connections: number,
    more: readonly string[] = [],
  ): Promise<PgBouncer> {
    const { INSTANCE_HOST = '', DB_USER = '', DB_PASS = '' } = database.environment;
    const directory = mkdtempSync(join(tmpdir(), 'uas-pgbouncer-'));
    const users = join(directory, 'users');
    const configuration = join(directory, 'pgbouncer.ini');
    await writeFile(users, `"${DB_USER}" "${DB_PASS}"\n`);
    await writeFile(
      configuration,
      [
        '[databases]',
        `* = host=${INSTANCE_HOST} port=5432`,
        '[pgbouncer]',
        'pool_mode = transaction',
        `default_pool_size = ${String(connections)}`,
        'listen_addr =',
        `listen_port = ${String(PORT)}`,
        `unix_socket_dir = ${directory}`,
        'auth_type = scram-sha-256',
        `auth_file = ${users}`,
        ...more,
      ].join('\n'),
    );
    // As who may go to the server's socket; it does not run as root either.
    const { uid, gid } = statSync(INSTANCE_HOST);
    for (const path of [directory, users, configuration]) await chown(path, uid, gid);
    await chmod(directory, 0o755);
    const account = process.getuid?.() === 0 ? { uid, gid } : {};
    const child = spawn('pgbouncer', [configuration], {
      ...account,
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const bouncer = new PgBouncer(child, directory, database);
    await waitUntil(
      () =>
        bouncer.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      () => output,
    );
    return bouncer;
  }

  /** Settings with which the service goes through here. */
  get environment(): Record<string, string> {
    return {
      ...this.database.environment,
      INSTANCE_HOST: this.directory,
      DB_PORT: String(PORT),
    };
  }

  /** Runs a statement as another client of the same connections. */
  async query<Row>(sql: string): Promise<Row[]> {
    const client = new Client(this.connection);
    await client.connect();
    try {
      return (await client.query(sql)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Runs a statement on each of its connections to PostgreSQL, as another client of them. */
  async queryEach<Row>(connections: number, sql: string): Promise<Row[][]> {
    const clients = Array.from({ length: connections }, () => new Client(this.connection));
    try {
      // Those that are in a transaction are on different ones.
      for (const client of clients) {
        await client.connect();
        await client.query('BEGIN');
      }
      return await Promise.all(
        clients.map(async (client) => (await client.query(sql)).rows as Row[]),
      );
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }

  async stop(): Promise<void> {
    // In order it would wait for its clients.
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
    await rm(this.directory, { recursive: true });
  }

  private get connection(): ClientConfig {
    const { INSTANCE_HOST, DB_USER, DB_PASS, DB_NAME } = this.environment;
    return { host: INSTANCE_HOST, port: PORT, user: DB_USER, password: DB_PASS, database: DB_NAME };
  }
}

/** Debian keeps it where only root looks. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
}
