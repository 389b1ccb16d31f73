import type { Socket } from 'node:net';
import type { QueryRunner } from 'typeorm';
import { POOL_SIZE, SERVICE_NAME, type ServiceDataSource } from '../database/data-source';
import { LEAST_MAJOR, TESTED_MAJOR } from '../database/postgres-versions';
import { advice, type Check, type Finding, ok, problem } from './check';
import { offsetFinding } from './clocks';
import { reachOf } from './place';

/** A statement that does nothing takes so long, in milliseconds; a request has several, and 1.5 s. */
const SLOW_MS = 10;
const TOO_SLOW_MS = 100;
const ROUND_TRIPS = 5;

/** Least time limits that keep out of the way of the service's own, in milliseconds. */
const LEAST_LOCK_TIMEOUT_MS = 1200;
const LEAST_TRANSACTION_TIMEOUT_MS = 5000;
/** A migration may look at every account. */
const LEAST_MIGRATION_TIMEOUT_MS = 60_000;

/** Of the connections that others may have, so many in use is close to none left. */
const FEW_LEFT = 0.9;
/** Transactions that were to be written or read anew by now, of 2^31 that there can be. */
const OLD_TRANSACTIONS = 1_000_000_000;
const TOO_OLD_TRANSACTIONS = 1_600_000_000;
const MANY_DEAD_ROWS = 50_000;
/** Somebody has forgotten that they have begun a transaction. */
const FORGOTTEN_S = 60;
const LONG_S = 15 * 60;
/** Longer than a request waits for a lock. */
const BLOCKED_S = 2;

/** The server of the service's database, and how it is connected to. */
export function databaseChecks(dataSource: ServiceDataSource, serving: ServiceDataSource): Check[] {
  return [
    { name: 'version', look: () => versionFinding(dataSource) },
    { name: 'primary', look: () => primaryFinding(dataSource, serving) },
    { name: 'durability', look: () => durabilityFindings(dataSource) },
    { name: 'latency', look: () => latencyFinding(dataSource) },
    { name: 'database-clock', look: () => clockFinding(dataSource) },
    { name: 'time-outs', look: () => timeOutFindings(dataSource, serving) },
    {
      name: 'connections',
      look: async () => connectionFindings(dataSource, await wireFinding(dataSource, isPooled)),
    },
    { name: 'activity', look: () => activityFindings(dataSource) },
    { name: 'encryption', look: () => wireFinding(dataSource, encryptionFinding) },
    { name: 'pooler', look: () => wireFinding(dataSource, poolerFinding) },
    { name: 'upkeep', look: () => upkeepFindings(dataSource) },
  ];
}

async function versionFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const [{ version, major, encoding }] = await dataSource.query<
    [{ version: string; major: number; encoding: string }]
  >(`
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           current_setting('server_encoding') AS encoding`);
  if (encoding !== 'UTF8') {
    return problem(
      `The encoding of the database is ${encoding}: not every name can be stored`,
      'Move it to a database whose encoding is UTF8 (pg_dump, createdb -E UTF8 -T template0, pg_restore)',
    );
  }
  if (major < LEAST_MAJOR) {
    return problem(
      `PostgreSQL ${version}, which nobody looks after any more`,
      `Upgrade it, to ${String(TESTED_MAJOR)} if you can`,
    );
  }
  return ok(
    major === TESTED_MAJOR
      ? `PostgreSQL ${version}`
      : `PostgreSQL ${version}; what is tested is ${String(TESTED_MAJOR)}`,
  );
}

async function primaryFinding(
  dataSource: ServiceDataSource,
  serving: ServiceDataSource,
): Promise<Finding> {
  const [{ standby }] = await dataSource.query<[{ standby: boolean }]>(
    'SELECT pg_is_in_recovery() AS standby',
  );
  if (standby) {
    return problem(
      'This is a standby, which takes no writes: nobody can log in',
      'Point INSTANCE_HOST at the primary, or at an address that follows it; or promote this one, if it is to be the primary now',
    );
  }
  const [{ frozen }] = await serving.query<[{ frozen: boolean }]>(
    `SELECT current_setting('default_transaction_read_only')::bool AS frozen`,
  );
  return frozen
    ? problem(
        'The database takes no writes (default_transaction_read_only is on): nobody can log in',
        'Some who run databases set it when the disk is full: make room, then ALTER DATABASE … RESET default_transaction_read_only',
      )
    : ok('It is the primary, and takes writes');
}

async function durabilityFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const rows = await dataSource.query<{ name: string }[]>(`
    SELECT name FROM pg_settings
     WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
     ORDER BY name`);
  const off = rows.map(({ name }) => name);
  const findings: Finding[] = [];
  if (off.includes('fsync')) {
    findings.push(
      problem(
        'fsync is off: a power cut can destroy the database',
        'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf(). Where the provider keeps it so, and sees to it by other means, there is nothing to do',
      ),
    );
  }
  if (off.includes('full_page_writes')) {
    findings.push(
      advice(
        'full_page_writes is off: a power cut can destroy the database, unless its storage writes pages whole, as ZFS and some providers do',
        'If yours does not: ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()',
      ),
    );
  }
  if (off.includes('synchronous_commit')) {
    findings.push(
      advice(
        'synchronous_commit is off: a crash undoes what was done last, a logout or a change of password too',
        'ALTER DATABASE … SET synchronous_commit = on',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('What is committed stays, across a crash too')];
}

async function latencyFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i += 1) {
    const began = performance.now();
    await dataSource.query('SELECT 1');
    times.push(performance.now() - began);
  }
  // What else goes on here now is no distance.
  const ms = Math.min(...times);
  const found = `A statement that does nothing takes ${ms.toFixed(1)} ms`;
  if (ms < SLOW_MS) return ok(found);
  const todo =
    'Bring the service closer to its database, or look why it is slow (load, network, disk)';
  return ms < TOO_SLOW_MS ? advice(found, todo) : problem(found, todo);
}

async function clockFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const asked = Date.now();
  const [{ now }] = await dataSource.query<[{ now: number }]>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
  );
  return offsetFinding((now - (asked + Date.now()) / 2) / 1000, 'the database');
}

/** Limits that the database sets, beside those that the service asks for. */
async function timeOutFindings(
  dataSource: ServiceDataSource,
  serving: ServiceDataSource,
): Promise<Finding[]> {
  // In a transaction, as what the service writes: behind a pooler they hold there.
  const of = limitsOf(await serving.transaction((manager) => manager.query<Limit[]>(LIMITS)));
  const ofTools = limitsOf(await dataSource.query<Limit[]>(LIMITS));
  const findings: Finding[] = [];
  const reset = (name: string): string =>
    `ALTER ROLE … RESET ${name}, or ALTER DATABASE or ALTER SYSTEM where it is set`;
  if (of('statement_timeout') === 0 || of('idle_in_transaction_session_timeout') === 0) {
    findings.push(
      advice(
        'The time limits that the service asks for are not in force: a pooler may have taken them away',
        'Set statement_timeout and idle_in_transaction_session_timeout of its role: ALTER ROLE … SET statement_timeout = 1200, …',
      ),
    );
  }
  if (isBelow(of('lock_timeout'), LEAST_LOCK_TIMEOUT_MS)) {
    findings.push(
      problem(
        `lock_timeout is ${String(of('lock_timeout'))} ms: requests that wait for each other are 503`,
        reset('lock_timeout'),
      ),
    );
  }
  if (isBelow(of('transaction_timeout'), LEAST_TRANSACTION_TIMEOUT_MS)) {
    findings.push(
      problem(
        `transaction_timeout is ${String(of('transaction_timeout'))} ms: what takes longer is cut off`,
        reset('transaction_timeout'),
      ),
    );
  }
  if (isBelow(ofTools('statement_timeout'), LEAST_MIGRATION_TIMEOUT_MS)) {
    findings.push(
      advice(
        `statement_timeout is ${String(ofTools('statement_timeout'))} ms for this role: a migration that takes longer is cut off`,
        `${reset('statement_timeout')}: the service sets its own. Where a pooler is between, run migrations on PostgreSQL itself`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [
        ok(
          `The service's limits are in force: ${String(of('statement_timeout'))} ms a statement, ${String(of('idle_in_transaction_session_timeout'))} ms idle in a transaction`,
        ),
      ];
}

interface Limit {
  readonly name: string;
  readonly ms: number;
}

const LIMITS = `
  SELECT name, setting::float8 AS ms FROM pg_settings
   WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout',
                  'idle_in_transaction_session_timeout')`;

/** Of each, in milliseconds; 0 is none. Not every version has all. */
function limitsOf(limits: readonly Limit[]): (name: string) => number {
  return (wanted) => limits.find(({ name }) => name === wanted)?.ms ?? 0;
}

function isBelow(ms: number, least: number): boolean {
  return ms > 0 && ms < least;
}

/** @param pooled connections bear the name of whoever has used them last */
async function connectionFindings(
  dataSource: ServiceDataSource,
  pooled: boolean,
): Promise<Finding[]> {
  // Of the limits of server, role and database, the one that is reached first.
  const [{ most, used, service }] = await dataSource.query<
    [{ most: number; used: number; service: number }]
  >(
    `SELECT most, used, (SELECT count(*)::int FROM pg_stat_activity
                          WHERE application_name = $1 AND datname = current_database()) AS service
       FROM (SELECT current_setting('max_connections')::int
                      - current_setting('superuser_reserved_connections')::int
                      - coalesce(current_setting('reserved_connections', true)::int, 0),
                    (SELECT sum(numbackends)::int FROM pg_stat_database WHERE datid <> 0)
             UNION ALL
             SELECT rolconnlimit, (SELECT count(*)::int FROM pg_stat_activity WHERE usename = rolname)
               FROM pg_roles WHERE rolname = current_user
             UNION ALL
             SELECT datconnlimit, numbackends
               FROM pg_database JOIN pg_stat_database USING (datname)
              WHERE datname = current_database()) AS of (most, used)
      WHERE most >= 0 ORDER BY most - used LIMIT 1`,
    [SERVICE_NAME],
  );
  const others = await dataSource.query<{ line: string }[]>(
    `SELECT count(*) || ' ' || coalesce(nullif(application_name, ''), usename, 'of others') AS line
       FROM pg_stat_activity WHERE datid IS NOT NULL
      GROUP BY coalesce(nullif(application_name, ''), usename, 'of others')
      ORDER BY count(*) DESC LIMIT 5`,
  );
  const found = `${String(used)} of ${String(most)} connections are in use (${others.map(({ line }) => line).join(', ')})`;
  const more = `A process of the service has up to ${String(POOL_SIZE)}, and two run while one takes the other's place`;
  const raise =
    'Raise max_connections, or the limit of the role or database (ALTER ROLE … CONNECTION LIMIT)';
  const findings: Finding[] = [];
  if (most < POOL_SIZE) findings.push(problem(`${found}. ${more}`, raise));
  else if (used >= most * FEW_LEFT) {
    findings.push(problem(found, `${raise}; or end what is not needed. ${more}`));
  } else if (most < 2 * POOL_SIZE) findings.push(advice(`${found}. ${more}`, raise));
  else findings.push(ok(found));
  if (service === 0 && !pooled) {
    findings.push(
      advice(
        'No running service is connected to this database',
        'Start it, or look whether it has the same INSTANCE_HOST and DB_NAME',
      ),
    );
  }
  return findings;
}

async function activityFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const waiting = await dataSource.query<{ pid: number; blockers: number[]; seconds: number }[]>(
    `SELECT pid, pg_blocking_pids(pid) AS blockers,
            extract(epoch FROM clock_timestamp() - min(waitstart))::int AS seconds
       FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE datname = current_database() AND NOT granted AND waitstart < clock_timestamp() - make_interval(secs => $1)
      GROUP BY pid ORDER BY seconds DESC LIMIT 5`,
    [BLOCKED_S],
  );
  const open = await dataSource.query<
    { pid: number; name: string; idle: boolean; seconds: number }[]
  >(
    `SELECT pid, coalesce(nullif(application_name, ''), usename) AS name,
            state LIKE 'idle in transaction%' AS idle,
            extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds
       FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend'
        AND xact_start < clock_timestamp() - make_interval(secs => $1)
      ORDER BY xact_start LIMIT 5`,
    [FORGOTTEN_S],
  );
  const end = (pid: number): string =>
    `Look at what it does, and end it if nobody needs it: SELECT pg_terminate_backend(${String(pid)})`;
  const findings = [
    ...waiting.map(({ pid, blockers: [first = 0], seconds }) =>
      problem(
        `Process ${String(pid)} has waited for a lock for ${String(seconds)} s, which ${String(first)} holds up`,
        end(first),
      ),
    ),
    ...open.flatMap(({ pid, name, idle, seconds }) => {
      const found = `${name} (process ${String(pid)}) has a transaction open for ${String(seconds)} s`;
      if (idle) return [problem(`${found}, and does nothing in it`, end(pid))];
      return seconds < LONG_S ? [] : [advice(found, end(pid))];
    }),
  ];
  return findings.length > 0
    ? findings
    : [
        ok(
          'Nobody waits for a lock, and no transaction was forgotten, as far as this role may see',
        ),
      ];
}

/** The connection to the server, or to what is between. */
interface Wire {
  /** Undefined where it is a socket of this machine. */
  readonly address: string | undefined;
  readonly encrypted: boolean;
  /** Number of the process that was named on connecting, and of the one that answers. */
  readonly named: number;
  readonly answering: number;
}

async function wireFinding<T>(dataSource: ServiceDataSource, look: (wire: Wire) => T): Promise<T> {
  const runner: QueryRunner = dataSource.createQueryRunner();
  try {
    // What its types do not tell of: pg's client, with the process that PostgreSQL has named.
    const client = (await runner.connect()) as {
      readonly processID: number;
      readonly connection: { readonly stream: Socket & { readonly encrypted?: boolean } };
    };
    const { stream } = client.connection;
    const [{ pid }] = (await runner.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
    return look({
      address: stream.remoteAddress,
      encrypted: stream.encrypted === true,
      named: client.processID,
      answering: pid,
    });
  } finally {
    await runner.release();
  }
}

function encryptionFinding({ address, encrypted }: Wire): Finding {
  if (encrypted) return ok('The connection to the database is encrypted');
  const place = address === undefined ? 'machine' : reachOf(address);
  if (place === 'machine') return ok('The database is on this machine: nothing to encrypt');
  const found = `The connection to the database at ${String(address)} is not encrypted`;
  const todo =
    'Set PGSSLMODE=verify-full in the environment of the service, once the server has a certificate';
  return place === 'private'
    ? advice(
        `${found}, in a private network`,
        `${todo}; a network of containers on one machine does not need it`,
      )
    : problem(`${found}: hashes and addresses can be read on the way`, todo);
}

function isPooled({ named, answering }: Wire): boolean {
  return named !== answering;
}

function poolerFinding(wire: Wire): Finding {
  return !isPooled(wire)
    ? ok('The service talks to PostgreSQL itself')
    : ok(
        'There is a pooler between (PgBouncer, say): its own limits count too, and what is said of connections is said of its',
      );
}

async function upkeepFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const [{ age, autovacuum }] = await dataSource.query<[{ age: number; autovacuum: boolean }]>(`
    SELECT greatest(age(datfrozenxid), mxid_age(datminmxid)) AS age,
           current_setting('autovacuum')::bool AS autovacuum
      FROM pg_database WHERE datname = current_database()`);
  const dead = await dataSource.query<{ name: string; dead: number }[]>(
    `SELECT relname AS name, n_dead_tup::float8 AS dead FROM pg_stat_user_tables
      WHERE n_dead_tup > $1 AND n_dead_tup > n_live_tup ORDER BY n_dead_tup DESC LIMIT 5`,
    [MANY_DEAD_ROWS],
  );
  const findings: Finding[] = [];
  if (!autovacuum) {
    findings.push(
      problem(
        'autovacuum is off: tables grow without end, and one day the server stops',
        'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()',
      ),
    );
  }
  if (age > OLD_TRANSACTIONS) {
    const found = `The oldest row is ${String(Math.round(age / 1e6))} million transactions old; at 2,100 million the server stops`;
    const todo =
      'VACUUM FREEZE as the owner; end transactions, replication slots and prepared transactions that are forgotten';
    findings.push(age > TOO_OLD_TRANSACTIONS ? problem(found, todo) : advice(found, todo));
  }
  if (dead.length > 0) {
    findings.push(
      advice(
        `More is dead than alive in ${dead.map(({ name, dead: rows }) => `${name} (${String(rows)} rows)`).join(', ')}`,
        'VACUUM ANALYZE these; look whether a transaction was forgotten, which keeps them',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('It cleans up after itself')];
}
