import type { ServiceDataSource } from '../database/data-source';
import { privilegesByTable } from '../database/service-privileges';
import { advice, type Check, type Finding, ok, problem } from './check';
import { tablesOf } from './schema-checks';

/** Written, and never changed. */
const AUDIT_TABLE = 'audit_event';

const LESS =
  'Run the migrations as another role, to which the tables then belong, and name the one of the service in DB_SERVICE_ROLE: see docs/operations.md';

/** What the role may do that the service logs in as. */
export function roleChecks(dataSource: ServiceDataSource): Check[] {
  return [
    { name: 'role', look: () => roleFindings(dataSource) },
    { name: 'grants', look: () => grantsFinding(dataSource) },
    { name: 'audit-trail', look: () => auditFinding(dataSource) },
  ];
}

async function roleFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const [role] = await dataSource.query<
    [{ name: string; superuser: boolean; powers: string[]; owned: string[] }]
  >(
    `SELECT rolname AS name, rolsuper AS superuser,
            array_remove(ARRAY[CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                               CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                               CASE WHEN rolreplication THEN 'REPLICATION' END,
                               CASE WHEN rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
            ARRAY(SELECT relname::text FROM pg_class
                   WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
                     AND pg_has_role(current_user, relowner, 'USAGE') ORDER BY 1) AS owned
       FROM pg_roles WHERE rolname = current_user`,
    [tablesOf(dataSource)],
  );
  const { name, superuser, powers, owned } = role;
  if (superuser) {
    return [
      problem(
        `The service logs in as ${name}, a superuser: a mistake in it is one in all databases`,
        LESS,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (powers.length > 0) {
    findings.push(
      advice(
        `The role ${name} can do what the service does not need: ${powers.join(', ')}`,
        `ALTER ROLE ${name} ${powers.map((power) => `NO${power}`).join(' ')}`,
      ),
    );
  }
  if (owned.length > 0) {
    findings.push(
      advice(`The tables belong to the role ${name}: the service could drop and alter them`, LESS),
    );
  }
  return findings.length > 0
    ? findings
    : [ok(`The role ${name} is no superuser, and the tables are not its own`)];
}

async function grantsFinding(dataSource: ServiceDataSource): Promise<Finding> {
  // Of some columns or of all: which, the migrations see to.
  const wanted = [...privilegesByTable(dataSource)].flatMap(([table, privileges]) =>
    privileges.map((privilege) => [table, privilege.replace(/ .*/, '')] as const),
  );
  const missing = await dataSource.query<{ table: string; privilege: string }[]>(
    `SELECT "table", privilege FROM unnest($1::text[], $2::text[]) AS wanted("table", privilege)
      WHERE NOT CASE privilege WHEN 'DELETE'
                  THEN has_table_privilege(to_regclass(quote_ident("table")), privilege)
                  -- Of the audit trail, it may write some columns.
                  ELSE has_any_column_privilege(to_regclass(quote_ident("table")), privilege) END`,
    [wanted.map(([table]) => table), wanted.map(([, privilege]) => privilege)],
  );
  const sequences = await dataSource.query<{ name: string }[]>(
    `SELECT seqrelid::regclass::text AS name
       FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND deptype = 'a'
       JOIN pg_class ON oid = refobjid
      WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
        AND NOT has_sequence_privilege(seqrelid, 'USAGE')`,
    [tablesOf(dataSource)],
  );
  const [prune] = await dataSource.query<[{ callable: boolean }?]>(
    `SELECT has_function_privilege(oid, 'EXECUTE') AS callable FROM pg_proc
      WHERE proname = 'audit_prune' AND pronamespace = current_schema()::regnamespace`,
  );
  const grants = [
    ...(prune?.callable === false ? ['GRANT EXECUTE ON FUNCTION audit_prune() TO …'] : []),
    ...missing.map(({ table, privilege }) => `GRANT ${privilege} ON "${table}" TO …`),
    ...sequences.map(({ name }) => `GRANT USAGE ON SEQUENCE ${name} TO …`),
  ];
  return grants.length === 0
    ? ok('It may do to each table what the service needs')
    : problem(
        `The role of the service may not do all that it needs, and requests are 503`,
        `As the owner of the tables: ${grants.join('; ')}`,
      );
}

/** Nothing to say where there is none. */
async function auditFinding(dataSource: ServiceDataSource): Promise<Finding | []> {
  const [trail] = await dataSource.query<[{ powers: string[] }?]>(
    `SELECT array_remove(ARRAY[
              CASE WHEN pg_has_role(current_user, relowner, 'USAGE') THEN 'DROP' END,
              CASE WHEN has_any_column_privilege(oid, 'UPDATE') THEN 'UPDATE' END,
              CASE WHEN has_table_privilege(oid, 'DELETE') THEN 'DELETE' END,
              CASE WHEN has_table_privilege(oid, 'TRUNCATE') THEN 'TRUNCATE' END,
              CASE WHEN has_table_privilege(oid, 'TRIGGER') THEN 'TRIGGER' END], NULL) AS powers
       FROM pg_class WHERE oid = to_regclass($1)`,
    [AUDIT_TABLE],
  );
  if (trail === undefined) return [];
  return trail.powers.length === 0
    ? ok('The service can add to the audit trail, and cannot change what is in it')
    : problem(
        `The service could rewrite its audit trail: it may ${trail.powers.join(', ')}`,
        trail.powers.includes('DROP')
          ? LESS
          : `As its owner: REVOKE ${trail.powers.join(', ')} ON ${AUDIT_TABLE} FROM …`,
      );
}
