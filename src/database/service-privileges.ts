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

/** The audit trail, and what says what may be taken out of it: to events, the service adds, no more. */
const AUDIT_TABLES = ['audit_event', 'audit_policy', 'audit_forgotten', 'service_grant'];
const CHANGES = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'];

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

/** @throws StartError when there are ways round what is granted */
async function assertHasNoMore(manager: EntityManager, role: string): Promise<void> {
  const ways = await waysRound(manager, role);
  if (ways.length > 0) {
    throw new StartError(
      `DB_SERVICE_ROLE ${role} ${ways.map(({ may, todo }) => `${may} (${todo})`).join('; ')}. Take that from it, and run this again`,
    );
  }
}

/** A way round what a role is granted. */
export interface WayRound {
  /** What it may do, such as `owns the database`. */
  readonly may: string;
  /** What takes that from it. */
  readonly todo: string;
}

/**
 * Ways round what is granted, by other rights that a role has: its own, everybody's, or those of another
 * role that it belongs to, for which it need not inherit them (SET ROLE). Of one that the tables belong
 * to, or of a superuser, it finds too much to be of use.
 */
export function waysRound(
  database: Pick<EntityManager, 'query'>,
  role: string,
): Promise<WayRound[]> {
  return database.query<WayRound[]>(
    `WITH acting AS (
       SELECT other.*, r.rolname AS member FROM pg_roles r JOIN pg_roles other ON pg_has_role(r.oid, other.oid, 'MEMBER')
        WHERE r.rolname = $1
     ), way (number, may, todo) AS (
       SELECT 1, 'may act as a superuser', format('REVOKE %I FROM %I', rolname, member)
         FROM acting WHERE rolsuper
       UNION ALL
       SELECT 2, 'may make and change roles',
              CASE rolname WHEN member THEN format('ALTER ROLE %I NOCREATEROLE', rolname)
                           ELSE format('REVOKE %I FROM %I', rolname, member) END
         FROM acting WHERE rolcreaterole AND NOT rolsuper
       UNION ALL
       SELECT 3, 'may read the files of the server',
              CASE rolname WHEN member THEN format('ALTER ROLE %I NOREPLICATION', rolname)
                           ELSE format('REVOKE %I FROM %I', rolname, member) END
         FROM acting WHERE rolreplication AND NOT rolsuper
       UNION ALL
       SELECT 4, 'may write files of the server, or run programs there', format('REVOKE %I FROM %I', rolname, member)
         FROM acting WHERE rolname IN ('pg_write_server_files', 'pg_execute_server_program')
       UNION ALL
       SELECT 5, 'owns the database', format('ALTER DATABASE %I OWNER TO another', datname)
         FROM pg_database WHERE datname = current_database() AND datdba IN (SELECT oid FROM acting)
       UNION ALL
       SELECT 6, 'owns the schema', format('ALTER SCHEMA %I OWNER TO another', nspname)
         FROM pg_namespace WHERE nspname = current_schema() AND nspowner IN (SELECT oid FROM acting)
       UNION ALL
       SELECT 7, 'may make things in the schema',
              format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, or from it', current_schema())
        WHERE EXISTS (SELECT FROM acting WHERE has_schema_privilege(oid, current_schema(), 'CREATE'))
       UNION ALL
       SELECT 8, format('may change the audit trail (%s on %s)', privileges, "table"),
              format('As its owner: REVOKE %s ON %I FROM it, or from PUBLIC; or take it out of the role that may',
                     privileges, "table")
         FROM (SELECT "table", string_agg(privilege, ', ' ORDER BY n) AS privileges
                 FROM unnest($2::text[]) AS "table",
                      unnest($3::text[]) WITH ORDINALITY AS of (privilege, n)
                WHERE ("table", privilege) <> ('audit_event', 'INSERT')
                  AND EXISTS (
                    SELECT FROM acting
                     WHERE CASE WHEN privilege IN ('INSERT', 'UPDATE')
                             THEN has_any_column_privilege(oid, to_regclass("table"), privilege)
                             ELSE has_table_privilege(oid, to_regclass("table"), privilege) END)
                GROUP BY "table") changeable
     )
     SELECT DISTINCT may, todo, number FROM way ORDER BY number, may, todo`,
    [role, AUDIT_TABLES, CHANGES],
  );
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
