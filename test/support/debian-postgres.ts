import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from './free-port';
import { waitUntil } from './service';

/** Where Debian has the programs of each version. */
const VERSIONS = '/usr/lib/postgresql';
const USER = 'postgres';

/**
 * Debian's PostgreSQL, of whichever version, with its own pg_dump: a server as others run theirs, on
 * a port, where TLS is a must.
 */
export class DebianPostgres {
  private constructor(
    private readonly server: ChildProcess,
    private readonly bin: string,
    private readonly directory: string,
    private readonly port: number,
    private readonly password: string,
  ) {}

  /** Whether it is installed here; says so where it is not. */
  static get isThere(): boolean {
    try {
      readdirSync(VERSIONS);
      return true;
    } catch (error) {
      process.stderr.write(`skipped: on Debian's PostgreSQL (it is not there: ${String(error)})\n`);
      return false;
    }
  }

  static async start(): Promise<DebianPostgres> {
    const [newest = ''] = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
    const bin = join(VERSIONS, newest, 'bin');
    const directory = mkdtempSync(join(tmpdir(), 'uas-debian-'));
    const account = accountOfServer();
    if (account !== undefined) await chown(directory, account.uid, account.gid);
    await chmod(directory, 0o700);
    const password = randomBytes(12).toString('hex');
    await writeFile(join(directory, 'password'), password, { mode: 0o644 });
    const options = { ...account, cwd: '/', stdio: 'pipe' } as const;
    const data = join(directory, 'data');
    execFileSync(
      join(bin, 'initdb'),
      [
        ...['-D', data, '-U', USER, `--pwfile=${join(directory, 'password')}`],
        ...['--auth=scram-sha-256', '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync'],
      ],
      options,
    );
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -out';
    execFileSync(
      'openssl',
      [...words.split(' '), join(data, 'server.crt'), '-keyout', join(data, 'server.key')],
      options,
    );
    // Without TLS, nobody is let in.
    await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
    const port = await freePort();
    const settings = ['listen_addresses=localhost', 'ssl=on', 'fsync=off'];
    const server = spawn(
      join(bin, 'postgres'),
      [
        ...['-D', data, '-p', String(port), '-k', directory],
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let output = '';
    server.stderr.on('data', (text: Buffer) => (output += text.toString()));
    const postgres = new DebianPostgres(server, bin, directory, port, password);
    await waitUntil(
      () =>
        postgres.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      () => output,
    );
    return postgres;
  }

  /** Settings with which the service uses a database of it; TLS as libpq names it. */
  environment(database = USER): Record<string, string> {
    return {
      INSTANCE_HOST: 'localhost',
      DB_PORT: String(this.port),
      DB_USER: USER,
      DB_PASS: this.password,
      DB_NAME: database,
      PGSSLMODE: 'verify-full',
      NODE_EXTRA_CA_CERTS: this.certificate,
    };
  }

  /** File of the certificate that its server shows. */
  get certificate(): string {
    return join(this.directory, 'data', 'server.crt');
  }

  /** Runs a statement on a connection of its own. */
  async query<Row>(sql: string, database = USER): Promise<Row[]> {
    const client = new Client({
      host: 'localhost',
      port: this.port,
      user: USER,
      password: this.password,
      database,
      ssl: { ca: readFileSync(this.certificate, 'utf8') },
    });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Runs one of its programs, such as pg_dump. @returns what it printed */
  run(program: string, words: readonly string[], input?: Buffer): Buffer {
    return execFileSync(join(this.bin, program), words, {
      env: {
        PGHOST: 'localhost',
        PGPORT: String(this.port),
        PGUSER: USER,
        PGPASSWORD: this.password,
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: this.certificate,
      },
      input,
      stdio: 'pipe',
    });
  }

  async remove(): Promise<void> {
    this.server.kill('SIGINT');
    await once(this.server, 'exit');
    await rm(this.directory, { recursive: true });
  }
}

/** PostgreSQL refuses to run as root. */
function accountOfServer(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
