import type { ServiceDataSource } from '../database/data-source';
import { privilegesByTable, waysRound } from '../database/service-privileges';
import { advice, type Check, type Finding, ok, problem } from './check';
import { tablesOf } from './schema-checks';

/** Written, and never changed. */
const AUDIT_TABLE = 'audit_event';

/** Whoever plans a month ahead still has time to change it. */
const EXPIRY_DAYS = 30;

const LESS =
  'Run the migrations as another role, to which the tables then belong, and name the one of the service in DB_SERVICE_ROLE: see docs/operations.md';

/** What the role may do that the service logs in as. */
export function roleChecks(dataSource: ServiceDataSource): Check[] {
  return [
    {
      name: 'role',
      look: async () => [
        ...(await roleFindings(dataSource)),
        ...(await expiryFindings(dataSource)),
      ],
    },
    { name: 'grants', look: () => grantsFinding(dataSource) },
    { name: 'audit-trail', look: () => auditFindings(dataSource) },
  ];
}

async function roleFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const [role] = await dataSource.query<
    [{ name: string; superuser: boolean; powers: string[]; owners: string[] }]
  >(
    `SELECT rolname AS name, rolsuper AS superuser,
            array_remove(ARRAY[CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                               CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                               CASE WHEN rolreplication THEN 'REPLICATION' END,
                               CASE WHEN rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
            -- Whoever does not inherit what a role may can still become it (SET ROLE).
            ARRAY(SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
                   WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
                     AND pg_has_role(current_user, relowner, 'MEMBER') ORDER BY 1) AS owners
       FROM pg_roles WHERE rolname = current_user`,
    [tablesOf(dataSource)],
  );
  const { name, superuser, powers, owners } = role;
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
  if (owners.length > 0) {
    findings.push(
      advice(
        owners.includes(name)
          ? `The tables belong to the role ${name}: the service could drop and alter them`
          : `The role ${name} can become ${owners.join(', ')} (SET ROLE), to whom the tables belong: the service could drop and alter them`,
        ownTodo(name, owners),
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok(`The role ${name} is no superuser, and the tables are not its own`)];
}

/** From one day to the next, nobody would be let in who is not connected yet. */
async function expiryFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const roles = await dataSource.query<{ name: string; until: string; over: boolean }[]>(
    `SELECT rolname AS name, to_char(rolvaliduntil, 'YYYY-MM-DD') AS until,
            rolvaliduntil < now() AS over
       FROM pg_roles WHERE rolname = current_user
        AND rolvaliduntil < now() + make_interval(days => $1)`,
    [EXPIRY_DAYS],
  );
  return roles.map(({ name, until, over }) =>
    advice(
      `The password of the role ${name} ${over ? 'expired' : 'expires'} on ${until}: after that, no new connection is let in by it`,
      `ALTER ROLE ${name} VALID UNTIL 'infinity', or a later day`,
    ),
  );
}

/** What to do about a role that is, or can become, one that tables belong to. */
function ownTodo(role: string, owners: readonly string[]): string {
  return owners.includes(role)
    ? LESS
    : `REVOKE ${owners.join(', ')} FROM ${role}; then run the migrations as ${owners.join(', ')}, with DB_SERVICE_ROLE=${role}: they give it what it needs`;
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
async function auditFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const [trail] = await dataSource.query<[{ role: string; owner: string; owned: boolean }?]>(
    `SELECT current_user::text AS role, pg_get_userbyid(relowner)::text AS owner,
            pg_has_role(current_user, relowner, 'MEMBER') AS owned
       FROM pg_class WHERE oid = to_regclass($1)`,
    [AUDIT_TABLE],
  );
  if (trail === undefined) return [];
  const { role, owner, owned } = trail;
  // Whoever can drop it need not be told of every other way.
  if (owned) {
    return [
      problem('The service could rewrite its audit trail: it may drop it', ownTodo(role, [owner])),
    ];
  }
  const ways = await waysRound(dataSource, role);
  return ways.length === 0
    ? [ok('The service can add to the audit trail, and cannot change what is in it')]
    : ways.map(({ may, todo }) =>
        problem(`The service could get round its audit trail: its role ${may}`, todo),
      );
}
