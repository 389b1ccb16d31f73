import type { DataSource, EntityManager } from 'typeorm';
import { StartError } from '../config/start-error';

const READ_AND_WRITE = 'SELECT, INSERT, UPDATE, DELETE';

/** What the service may do with tables that are not its to change. */
const PRIVILEGES: Readonly<Record<string, string>> = {
  // Number and time are PostgreSQL's to say.
  audit_event: 'SELECT, INSERT (kind, outcome, account, session, address, operator)',
  audit_policy: 'SELECT',
};

/** Something in the database, as GRANT names it. */
interface Granted {
  readonly object: string;
  readonly privileges: string;
}

/**
 * Gives a role that the service logs in as what it needs of what this role owns, and nothing else. To be
 * repeated after each migration: a new table is nobody else's at first.
 *
 * @param migrationsTable list of the migrations, which the service only reads
 * @throws StartError when there is no such role, or it can do more by itself
 */
export async function grantToService(
  dataSource: DataSource,
  role: string,
  migrationsTable: string,
): Promise<void> {
  await dataSource.transaction(async (manager) => {
    await assertIsAnother(manager, role);
    const grantee = quoted(role);
    for (const { object, privileges } of await granted(manager, migrationsTable)) {
      await manager.query(`REVOKE ALL ON ${object} FROM ${grantee}`);
      await manager.query(`GRANT ${privileges} ON ${object} TO ${grantee}`);
    }
  });
}

/** Takes from that role what it may do with the one table that stays when all migrations are taken back. */
export async function revokeFromService(dataSource: DataSource, role: string): Promise<void> {
  const [{ sequence }] = await dataSource.query<[{ sequence: string }]>(
    `SELECT pg_get_serial_sequence('"user"', 'id') AS sequence`,
  );
  await dataSource.query(`REVOKE ALL ON "user" FROM ${quoted(role)}`);
  await dataSource.query(`REVOKE ALL ON SEQUENCE ${sequence} FROM ${quoted(role)}`);
}

async function granted(manager: EntityManager, migrationsTable: string): Promise<Granted[]> {
  const { entityMetadatas } = manager.dataSource;
  const tables = [...entityMetadatas.map(({ tableName }) => tableName), 'audit_policy'];
  const numbered = entityMetadatas.flatMap(({ tableName, columns }) =>
    columns
      .filter(({ generationStrategy }) => generationStrategy === 'increment')
      .map(({ databaseName }) => ({ table: quoted(tableName), column: databaseName })),
  );
  const sequences = await manager.query<{ sequence: string }[]>(
    `SELECT pg_get_serial_sequence("table", "column") AS sequence
       FROM unnest($1::text[], $2::text[]) AS numbered ("table", "column")`,
    [numbered.map(({ table }) => table), numbered.map(({ column }) => column)],
  );
  return [
    ...tables.map((table) => ({
      object: quoted(table),
      privileges: PRIVILEGES[table] ?? READ_AND_WRITE,
    })),
    { object: quoted(migrationsTable), privileges: 'SELECT' },
    ...sequences.map(({ sequence }) => ({
      object: `SEQUENCE ${sequence}`,
      privileges: 'USAGE',
    })),
    { object: 'FUNCTION audit_prune()', privileges: 'EXECUTE' },
  ];
}

/** @throws StartError when a role is not there, or is one that no privileges need to be given to */
async function assertIsAnother(manager: EntityManager, role: string): Promise<void> {
  const [found] = await manager.query<{ mighty: boolean }[]>(
    `SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') AS mighty
       FROM pg_roles WHERE rolname = $1`,
    [role],
  );
  if (found === undefined) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} is no role of this server: CREATE ROLE ${quoted(role)} LOGIN PASSWORD …, and run the migrations again`,
    );
  }
  if (found.mighty) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} is a superuser, or may do whatever DB_USER may: it has to be a role of its own, which is given what the service needs`,
    );
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
