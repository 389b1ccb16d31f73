import type { DataSource, EntityManager } from 'typeorm';
import { StartError } from '../config/start-error';
import { MIGRATIONS_TABLE } from './migrations-table';

const READ_AND_WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** What the service may do with tables that are not its to change. */
const PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  // Number and time are PostgreSQL's to say.
  audit_event: ['SELECT', 'INSERT (kind, outcome, account, session, address, operator)'],
  audit_policy: ['SELECT'],
  [MIGRATIONS_TABLE]: ['SELECT'],
};

/** What the service needs of each of its tables, as GRANT has it: of the whole table, or of columns. */
export function privilegesByTable({ entityMetadatas }: DataSource): Map<string, readonly string[]> {
  const tables = [...entityMetadatas.map(({ tableName }) => tableName), ...Object.keys(PRIVILEGES)];
  return new Map(tables.map((table) => [table, PRIVILEGES[table] ?? READ_AND_WRITE]));
}

/** Something in the database, as GRANT names it. */
interface Granted {
  readonly object: string;
  readonly privileges: string;
}

/**
 * What is there before any migration, and after the last was taken back: of this, only what the role has
 * not yet is granted, and written down.
 */
const KEPT = '"user"';

/**
 * Gives a role that the service logs in as what it needs of what this role owns, and nothing else. To be
 * repeated after each migration: a new table is nobody else's at first.
 *
 * @throws StartError when the role can do more than it was given, in ways that it names
 */
export async function grantToService(dataSource: DataSource, role: string): Promise<void> {
  await dataSource.transaction(async (manager) => {
    const grantee = quoted(role);
    const [{ schema, usable }] = await manager.query<[{ schema: string; usable: boolean }]>(
      `SELECT quote_ident(current_schema()) AS schema,
              has_schema_privilege($1, current_schema(), 'USAGE') AS usable`,
      [role],
    );
    if (!usable) await manager.query(`GRANT USAGE ON SCHEMA ${schema} TO ${grantee}`);
    for (const { object, privileges } of await ownObjects(manager)) {
      await manager.query(`REVOKE ALL ON ${object} FROM ${grantee}`);
      await manager.query(`GRANT ${privileges} ON ${object} TO ${grantee}`);
    }
    await grantOfKept(manager, role);
    await assertHasNoMore(manager, role);
  });
}

/** @throws StartError when there is no such role, or it may do whatever this one may */
export async function assertServiceRole(dataSource: DataSource, role: string): Promise<void> {
  const [found] = await dataSource.query<{ mighty: boolean }[]>(
    `SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') AS mighty
       FROM pg_roles WHERE rolname = $1`,
    [role],
  );
  if (found === undefined) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} is no role of this server: CREATE ROLE ${quoted(role)} LOGIN PASSWORD …, and run this again`,
    );
  }
  if (found.mighty) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} is a superuser, or may do whatever DB_USER may: it has to be a role of its own, which is given what the service needs`,
    );
  }
}

/** What the migrations have made, and what of it the service needs. */
async function ownObjects(manager: EntityManager): Promise<Granted[]> {
  const { entityMetadatas } = manager.dataSource;
  const tables = [...privilegesByTable(manager.dataSource)].filter(
    ([table]) => quoted(table) !== KEPT,
  );
  const numbered = entityMetadatas.flatMap(({ tableName, columns }) =>
    columns
      .filter(({ generationStrategy }) => generationStrategy === 'increment')
      .map(({ databaseName }) => ({ table: quoted(tableName), column: databaseName })),
  );
  const sequences = await Promise.all(
    numbered
      .filter(({ table }) => table !== KEPT)
      .map(({ table, column }) => sequenceOf(manager, table, column)),
  );
  return [
    ...tables.map(([table, privileges]) => ({
      object: quoted(table),
      privileges: privileges.join(', '),
    })),
    ...sequences.map((object) => ({ object: `SEQUENCE ${object}`, privileges: 'USAGE' })),
    { object: 'FUNCTION audit_prune()', privileges: 'EXECUTE' },
  ];
}

async function grantOfKept(manager: EntityManager, role: string): Promise<void> {
  const sequence = await sequenceOf(manager, KEPT, 'id');
  for (const { object, relation, privileges } of [
    { object: `TABLE ${KEPT}`, relation: KEPT, privileges: READ_AND_WRITE },
    { object: `SEQUENCE ${sequence}`, relation: sequence, privileges: ['USAGE'] },
  ]) {
    const held = await manager.query<{ privilege: string }[]>(
      `SELECT privilege_type AS privilege
         FROM pg_class, aclexplode(relacl) JOIN pg_roles r ON r.oid = grantee
        WHERE pg_class.oid = $1::regclass AND rolname = $2`,
      [relation, role],
    );
    for (const privilege of privileges) {
      if (held.some((one) => one.privilege === privilege)) continue;
      await manager.query(`GRANT ${privilege} ON ${object} TO ${quoted(role)}`);
      await manager.query(
        'INSERT INTO service_grant (role, object, privilege) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [role, object, privilege],
      );
    }
  }
}

/** Ways round what is granted, by other rights that a role has, its own or by another that it belongs to. */
async function assertHasNoMore(manager: EntityManager, role: string): Promise<void> {
  const rows = await manager.query<{ more: string }[]>(
    `SELECT more FROM pg_roles r,
       LATERAL (VALUES
         (rolcreaterole, 'may make and change roles (ALTER ROLE … NOCREATEROLE)'),
         (rolreplication, 'may read the files of the server (ALTER ROLE … NOREPLICATION)'),
         (has_schema_privilege(r.oid, current_schema(), 'CREATE'),
          'may make things in the schema (REVOKE CREATE ON SCHEMA … FROM PUBLIC, or from it)'),
         (EXISTS (SELECT FROM pg_database WHERE datname = current_database()
                     AND pg_has_role(r.oid, datdba, 'MEMBER')), 'owns the database'),
         (EXISTS (SELECT FROM pg_namespace WHERE nspname = current_schema()
                     AND pg_has_role(r.oid, nspowner, 'MEMBER')), 'owns the schema'),
         (EXISTS (SELECT FROM pg_roles other
                   WHERE other.rolname IN ('pg_write_server_files', 'pg_execute_server_program')
                     AND pg_has_role(r.oid, other.oid, 'MEMBER')),
          'may write files of the server, or run programs there'),
         (has_table_privilege(r.oid, 'audit_event', 'DELETE, TRUNCATE, TRIGGER')
            OR has_any_column_privilege(r.oid, 'audit_event', 'UPDATE')
            OR has_table_privilege(r.oid, 'audit_policy', 'INSERT, UPDATE, DELETE')
            OR has_table_privilege(r.oid, 'audit_forgotten', 'INSERT, UPDATE, DELETE')
            OR has_table_privilege(r.oid, 'service_grant', 'INSERT, UPDATE, DELETE'),
          'may change the audit trail, as a member of another role or as everybody may')
       ) AS way (open, more)
      WHERE rolname = $1 AND open`,
    [role],
  );
  if (rows.length > 0) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} ${rows.map(({ more }) => more).join('; ')}. Take that from it, and run this again`,
    );
  }
}

async function sequenceOf(manager: EntityManager, table: string, column: string): Promise<string> {
  const [{ sequence }] = await manager.query<[{ sequence: string }]>(
    'SELECT pg_get_serial_sequence($1, $2) AS sequence',
    [table, column],
  );
  return sequence;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
