import type { ServiceDataSource } from '../database/data-source';
import { privilegesByTable } from '../database/service-privileges';
import { CreateAudit1795953600000 } from '../../migrations/1795953600000-CreateAudit';
import { type Check, type Finding, ok, problem } from './check';

/** UNLOGGED on purpose: counts that a crash may take. */
const FLEETING_TABLE = 'rate_limit';

/** Read and written by the owner's functions only. */
const FORGOTTEN_TABLE = 'audit_forgotten';

const RECREATED =
  'CREATE TRIGGER audit_deletion AFTER DELETE ON "user" REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION audit_deletion()';

/** What is set of the tables, and no comparison of their columns shows. */
export function tablesCheck(dataSource: ServiceDataSource): Check {
  return { name: 'tables', look: () => tableFindings(dataSource) };
}

async function tableFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const findings = [
    ...(await habitFindings(dataSource)),
    ...(await ruleFindings(dataSource)),
    ...(await deletionFindings(dataSource)),
    ...(await numberFindings(dataSource)),
  ];
  return findings.length > 0
    ? findings
    : [ok('Nothing hides rows of the tables, loses them in a crash, or changes what is written')];
}

/** Tables of this version, those too that no entity is of. */
function tablesOfAll(dataSource: ServiceDataSource): string[] {
  return [...privilegesByTable(dataSource).keys(), FORGOTTEN_TABLE];
}

async function habitFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const rows = await dataSource.query<{ name: string; hides: boolean; unlogged: boolean }[]>(
    // In the order in which they were made: none is logged that refers to one that is not.
    `SELECT oid::regclass::text AS name, row_security_active(oid) AS hides,
            relpersistence = 'u' AND relname <> $2 AS unlogged
       FROM pg_class WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') ORDER BY pg_class.oid`,
    [tablesOfAll(dataSource), FLEETING_TABLE],
  );
  const naming = (tables: typeof rows): string => tables.map(({ name }) => name).join(', ');
  const altering = (tables: typeof rows, how: string): string =>
    `As the owner of the tables: ${tables.map(({ name }) => `ALTER TABLE ${name} ${how}`).join('; ')}`;
  const hiding = rows.filter(({ hides }) => hides);
  const unlogged = rows.filter((row) => row.unlogged);
  const findings: Finding[] = [];
  if (hiding.length > 0) {
    findings.push(
      problem(
        `Row level security hides rows of ${naming(hiding)} from the service: logins are 401, and registrations 503`,
        altering(hiding, 'DISABLE ROW LEVEL SECURITY'),
      ),
    );
  }
  if (unlogged.length > 0) {
    findings.push(
      problem(
        `${naming(unlogged)}: UNLOGGED, so that a crash empties it, and no standby has it`,
        altering(unlogged, 'SET LOGGED'),
      ),
    );
  }
  return findings;
}

async function ruleFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const rules = await dataSource.query<{ rule: string; name: string }[]>(
    `SELECT quote_ident(rulename) AS rule, ev_class::regclass::text AS name
       FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
      WHERE relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND ev_enabled <> 'D' ORDER BY 2, 1`,
    [tablesOfAll(dataSource)],
  );
  return rules.map(({ rule, name }) =>
    problem(
      `The rule ${rule} on ${name} makes something else of what the service writes`,
      `As the owner of the tables: DROP RULE ${rule} ON ${name}. A trigger is what does more, and not instead`,
    ),
  );
}

/** What writes down that an account was deleted, and has its addresses forgotten. */
async function deletionFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const executed = await dataSource.executedMigrations();
  if (!executed.some(({ name }) => name === CreateAudit1795953600000.name)) return [];
  const [trigger] = await dataSource.query<[{ fires: boolean }?]>(
    // Where a replica is written to as one, the origin has written it down.
    `SELECT tgenabled IN ('O', 'A') AS fires FROM pg_trigger
      WHERE tgname = 'audit_deletion' AND tgrelid = to_regclass('"user"')`,
  );
  if (trigger?.fires === true) return [];
  return [
    problem(
      `The trigger audit_deletion is ${trigger === undefined ? 'gone' : 'disabled'}: accounts that are deleted leave no trace, and their addresses stay`,
      `As the owner of the tables: ${trigger === undefined ? RECREATED : 'ALTER TABLE "user" ENABLE TRIGGER audit_deletion'}`,
    ),
  ];
}

/** Whether the next account has a number that none has; nothing where the role may not read that. */
async function numberFindings(dataSource: ServiceDataSource): Promise<Finding[]> {
  const [numbered] = await dataSource.query<[{ sequence: string }?]>(
    `SELECT seqrelid::regclass::text AS sequence
       FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND deptype IN ('a', 'i')
       JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
      WHERE refobjid = to_regclass('"user"') AND attname = 'id'
        AND has_column_privilege(refobjid, attnum, 'SELECT')
        AND has_sequence_privilege(seqrelid, 'USAGE, SELECT')`,
  );
  if (numbered === undefined) return [];
  const { sequence } = numbered;
  const [{ last, most }] = await dataSource.query<[{ last: number; most: number }]>(
    // The number after the accounts: one that comes meanwhile is then no mistake. None was given yet by
    // a sequence that has just been set to start elsewhere, too: setval does no harm to that.
    `SELECT coalesce(pg_sequence_last_value($1::regclass), 0)::float8 AS last, most
       FROM (SELECT coalesce(max(id), 0)::float8 AS most FROM "user" OFFSET 0) AS of`,
    [sequence],
  );
  if (last >= most) return [];
  return [
    problem(
      `The next account gets the number ${String(last + 1)}, and there are some up to ${String(most)}: registrations are 409`,
      `As the owner of the tables: SELECT setval('${sequence}', (SELECT max(id) FROM "user"))`,
    ),
  ];
}
