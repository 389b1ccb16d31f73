import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres';
import { openDataSource } from './database';
import { waitUntil } from './service';

/** A PostgreSQL server that a test may break, with every migration in it. What it says is stored is. */
export class OwnPostgres {
  private constructor(
    private readonly directory: string,
    private server: EmbeddedPostgres,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const directory = mkdtempSync(join(tmpdir(), 'uas-own-'));
    // Started by root, the server runs as another user, who has to pass.
    await chmod(directory, 0o711);
    const own = new OwnPostgres(directory, await EmbeddedPostgres.start(directory));
    const dataSource = await openDataSource(own);
    await dataSource.runMigrations();
    await dataSource.destroy();
    return own;
  }

  /** Settings with which the service uses it. */
  get environment(): Record<string, string> {
    const { host, user, password, database } = this.server;
    return { INSTANCE_HOST: host, DB_USER: user, DB_PASS: password, DB_NAME: database };
  }

  get socket(): string {
    return join(this.server.host, `.s.PGSQL.${String(this.server.port)}`);
  }

  /** Process of the server. */
  get pid(): number {
    const file = join(this.directory, 'postgres/cluster/data/postmaster.pid');
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  }

  /** Runs a statement on a connection of its own. */
  async query<Row>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    const { host, user, password, database } = this.server;
    const client = new Client({ host, user, password, database });
    // It may be the statement's purpose to end connections.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query(sql, parameters);
      return rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Stops it in order. */
  async stop(): Promise<void> {
    await this.server.release();
  }

  /** Starts it again. */
  async startAgain(): Promise<void> {
    this.server = await EmbeddedPostgres.start(this.directory);
  }

  /** Ends the server by a signal, and waits until it is there again, as its launcher sees to. */
  async restart(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const before = this.pid;
    process.kill(before, signal);
    await waitUntil(async () => {
      try {
        return this.pid !== before && (await this.query('SELECT 1')).length === 1;
      } catch {
        return false;
      }
    });
  }

  /** Every process of it stands still. @returns what lets them go on */
  freeze(): () => void {
    const frozen: number[] = [];
    const stop = (pid: number): void => {
      process.kill(pid, 'SIGSTOP');
      frozen.push(pid);
    };
    // The first makes no others from then on.
    stop(this.pid);
    for (const child of childrenOf(this.pid)) stop(child);
    return () => {
      // Children first: their parent, once awake, buries those that had just ended.
      for (const pid of frozen.reverse()) process.kill(pid, 'SIGCONT');
    };
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true });
  }
}

function childrenOf(parent: number): number[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid ?? 0);
}
