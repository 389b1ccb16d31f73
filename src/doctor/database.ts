import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { dataDirectory } from '../config/data-directory';
import type { Settings } from '../config/settings';
import { StartError } from '../config/start-error';
import { type Manners, SERVICE_NAME, ServiceDataSource } from '../database/data-source';
import { databaseErrorCode } from '../database/database-errors';
import { EmbeddedPostgres } from '../database/embedded-postgres';
import { safeError } from '../logging/safe-error';
import { type Finding, lookInTurn, ok, problem, type Result } from './check';
import { databaseChecks } from './database-checks';
import { hashesCheck } from './hashing-checks';
import { outboxCheck } from './mail-checks';
import { roleChecks } from './role-checks';
import { schemaChecks } from './schema-checks';
import { tablesCheck } from './table-checks';

/** Who needs longer to let anybody in is as good as away. */
const CONNECT_MS = 5000;
/** Who does not answer does not answer a farewell either. */
const CLOSE_MS = 1000;

/** Whoever counts the connections of the service must not count these. */
const NAME = `${SERVICE_NAME} doctor`;

/** The database as whoever looks at it sees it, and as the service does. */
interface Connected {
  readonly dataSource: ServiceDataSource;
  readonly serving: ServiceDataSource;
}

/**
 * Looks into the database of the settings, and changes nothing.
 *
 * @returns what was found, and whether it answers
 */
export async function lookIntoDatabase(
  settings: Settings,
): Promise<{ results: readonly Result[]; reached: boolean }> {
  let connected: Connected;
  let isCurrent: boolean;
  try {
    connected = await inTime(connect(settings));
    isCurrent = (await inTime(connected.dataSource.pendingMigrations())).length === 0;
  } catch (error) {
    const finding = unreachable(error, settings);
    return { results: [{ group: 'database', name: 'database', ...finding }], reached: false };
  }
  const { dataSource, serving } = connected;
  try {
    const results = await lookInTurn('database', [
      { name: 'database', look: () => ok(`It answers: ${placeOf(settings)}`) },
      ...databaseChecks(dataSource, serving),
      ...schemaChecks(dataSource),
      tablesCheck(dataSource),
      // Everything is the embedded one's own.
      ...(settings.embedded ? [] : roleChecks(dataSource)),
      ...(isCurrent ? [hashesCheck(dataSource, settings), outboxCheck(dataSource, settings)] : []),
    ]);
    return { results, reached: true };
  } finally {
    const closed = Promise.all([serving.destroy(), dataSource.destroy()]);
    await Promise.race([closed, delay(CLOSE_MS)]);
  }
}

/** Whether there is a database to look into: the embedded one is made at the first start. */
export function hasDatabase(settings: Settings): boolean {
  return !settings.embedded || EmbeddedPostgres.isThere(dataDirectory(settings));
}

async function connect(settings: Settings): Promise<Connected> {
  const dataSource = await open(settings, { readOnly: true });
  return { dataSource, serving: await open(settings, { serving: true }) };
}

async function open(settings: Settings, manners: Manners): Promise<ServiceDataSource> {
  const dataSource = await ServiceDataSource.open(settings, pino({ level: 'silent' }), {
    ...manners,
    name: NAME,
  });
  return dataSource.initialize();
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const tooLong = delay(CONNECT_MS, undefined, { signal: over.signal }).then(() => {
    throw Object.assign(new Error(), { code: 'ETIMEDOUT' });
  });
  tooLong.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    over.abort();
  }
}

function placeOf({ embedded, DB_NAME, INSTANCE_HOST }: Settings): string {
  return embedded ? 'the embedded one' : `${DB_NAME} at ${INSTANCE_HOST}`;
}

function unreachable(error: unknown, settings: Settings): Finding {
  if (error instanceof StartError) return problem(error.message, 'Mend that, and ask again');
  const code = databaseErrorCode(error);
  const { message = '' } = safeError(error);
  return problem(
    `The database cannot be reached: ${placeOf(settings)} (${code === '' ? message : code})`,
    whatToDo(code, settings),
  );
}

/** By SQLSTATE, or Node's code. */
function whatToDo(code: string, { INSTANCE_HOST, DB_PORT, DB_USER, DB_NAME }: Settings): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `No address is known for ${INSTANCE_HOST}: look for a mistake in INSTANCE_HOST, and at the DNS`;
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `Nothing listens there at port ${String(DB_PORT)}: start PostgreSQL, and look at its log if it does not come up; else look at INSTANCE_HOST and DB_PORT`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'Look whether the machine is up, at the firewall between, and whether the server is frozen or its disk is full; of a pooler, whether all its connections are taken (default_pool_size)';
    case '28P01':
    case '28000':
      return `It does not let ${DB_USER} in: look at DB_USER and DB_PASS, and at pg_hba.conf`;
    case '3D000':
      return `There is no database ${DB_NAME} there: look at DB_NAME, or restore it`;
    case '53300':
      return 'Every connection is taken: end what is not needed (pg_stat_activity), and raise max_connections';
    case '57P03':
      return 'It is starting or stopping: ask again in a minute, and look at its log if it stays so';
    default:
      return 'Look at the log of PostgreSQL, and at INSTANCE_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS';
  }
}
