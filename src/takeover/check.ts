import { type KeyObject } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { describeUserTable } from '../../migrations/1795348800000-CreateUser';
import { ALGORITHM, TokenService } from '../auth/token.service';
import type { Settings } from '../config/settings';
import { keyOf, SigningKeys, weaknessOf } from '../config/signing-keys';
import type { ServiceDataSource } from '../database/data-source';
import { LEAST_MAJOR, TESTED_MAJOR } from '../database/postgres-versions';
import { surveyAccounts } from './accounts';
import { type PlannedMigration, plannedMigrations } from './plan';

/** What was found out about one matter. */
export interface Finding {
  /** `warning`: to be known; `stop`: to be mended first. */
  readonly verdict: 'ok' | 'warning' | 'stop';
  /** One sentence, and what to do if something is to be done. */
  readonly summary: string;
  /** One line each. */
  readonly details: readonly string[];
  /** The same for programs. */
  readonly facts: object;
}

/** Whether the service can take the place of the FastAPI backend here. */
export interface CheckReport {
  readonly ready: boolean;
  readonly findings: Readonly<Record<string, Finding>>;
  /** What `run` would do. */
  readonly migrations: readonly PlannedMigration[];
}

/** Examples that are printed of each kind; JSON has more of them. */
const EXAMPLES = 5;

/**
 * Looks at a database that the FastAPI backend uses, and changes nothing.
 *
 * @param token of the reference or of ours, to see whether the key opens it
 */
export async function checkTakeover(
  dataSource: ServiceDataSource,
  settings: Settings,
  token?: string,
): Promise<CheckReport> {
  const report = await checkSchema(dataSource, settings);
  const { table, privileges } = report.findings;
  if (table?.verdict !== 'ok' || privileges?.verdict !== 'ok') return report;
  return reportOf(
    {
      ...report.findings,
      accounts: await accountsFinding(dataSource),
      ...(token !== undefined && { token: await tokenFinding(dataSource, settings, token) }),
    },
    report.migrations,
  );
}

/** What has to be right before anything is changed, without looking at the accounts. */
export async function checkSchema(
  dataSource: ServiceDataSource,
  settings: Settings,
): Promise<CheckReport> {
  const table = await tableFinding(dataSource);
  const findings = {
    server: await serverFinding(dataSource),
    key: keyFinding(settings),
    table,
  };
  if (table.verdict === 'stop') return reportOf(findings, []);
  const privileges = await privilegesFinding(dataSource);
  if (privileges.verdict === 'stop') return reportOf({ ...findings, privileges }, []);
  const migrations = await plannedMigrations(dataSource, await approximateRows(dataSource));
  return reportOf(
    {
      ...findings,
      privileges,
      neighbours: await neighboursFinding(dataSource),
      alembic: await alembicFinding(dataSource),
      names: await namesFinding(dataSource, migrations),
    },
    migrations,
  );
}

/** The role that the table of accounts belongs to, and what is made beside it shall. */
export async function ownerOf(dataSource: ServiceDataSource): Promise<string> {
  const [{ owner }] = await dataSource.query<[{ owner: string }]>(
    `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = '"user"'::regclass`,
  );
  return owner;
}

function reportOf(
  findings: Readonly<Record<string, Finding>>,
  migrations: readonly PlannedMigration[],
): CheckReport {
  const ready = Object.values(findings).every(({ verdict }) => verdict !== 'stop');
  return { ready, findings, migrations };
}

function finding(
  verdict: Finding['verdict'],
  summary: string,
  facts: object = {},
  details: readonly string[] = [],
): Finding {
  return { verdict, summary, details, facts };
}

async function serverFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const [facts] = await dataSource.query<
    [{ version: string; major: number; encoding: string; database: string; role: string }]
  >(`
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           current_setting('server_encoding') AS encoding,
           current_database() AS database, current_user AS role`);
  const { version, major, encoding, database, role } = facts;
  const where = `PostgreSQL ${version}, database ${database}, as ${role}`;
  if (encoding !== 'UTF8') {
    return finding(
      'stop',
      `${where}. The encoding of the database is ${encoding}, and must be UTF8: move it to one that is`,
      facts,
    );
  }
  if (major < LEAST_MAJOR) {
    return finding(
      'stop',
      `${where}. At least ${String(LEAST_MAJOR)} is needed: upgrade it`,
      facts,
    );
  }
  return major === TESTED_MAJOR
    ? finding('ok', where, facts)
    : finding('warning', `${where}. What is tested is ${String(TESTED_MAJOR)}`, facts);
}

function keyFinding({ SECRET_KEY, ALLOW_WEAK_SECRET_KEY }: Settings): Finding {
  if (SECRET_KEY === '') {
    return finding('stop', 'SECRET_KEY is missing: give it the key of the FastAPI backend');
  }
  const weakness = weaknessOf(SECRET_KEY);
  const facts = { weakness: weakness ?? null, allowed: ALLOW_WEAK_SECRET_KEY };
  if (weakness === undefined) return finding('ok', 'SECRET_KEY is strong enough', facts);
  return ALLOW_WEAK_SECRET_KEY
    ? finding(
        'warning',
        `SECRET_KEY ${weakness}, and is taken all the same (ALLOW_WEAK_SECRET_KEY): rotate it soon`,
        facts,
      )
    : finding(
        'stop',
        `SECRET_KEY ${weakness}: the service would not start; set ALLOW_WEAK_SECRET_KEY=true to take it over, and rotate it soon`,
        facts,
      );
}

async function tableFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const [place] = await dataSource.query<[{ kind: string; schema: string; current: string }?]>(
    `SELECT relkind AS kind, relnamespace::regnamespace::text AS schema, current_schema() AS current
       FROM pg_class WHERE oid = to_regclass('"user"')`,
  );
  if (place === undefined) {
    return finding('stop', 'There is no table "user" here: look whether DB_NAME is the right one');
  }
  if (place.kind !== 'r') return finding('stop', '"user" is no ordinary table', place);
  if (place.schema !== place.current) {
    return finding(
      'stop',
      `The table "user" is in the schema ${place.schema}, and new ones would be made in ${place.current}: ALTER ROLE … SET search_path = ${place.schema}`,
      place,
    );
  }
  const runner = dataSource.createQueryRunner();
  try {
    const facts = await describeUserTable(runner);
    const { found, missing, demanded } = facts;
    const details = [
      ...found.map((line) => `has ${line}`),
      ...missing.map((line) => `lacks ${line}`),
      ...demanded.map((line) => `wants ${line}`),
    ];
    return missing.length + demanded.length === 0
      ? finding('ok', 'The table "user" is the one that is needed', facts, details)
      : finding(
          'stop',
          'The table "user" is not the one that is needed: change what it lacks, and give a default to what it wants',
          facts,
          details,
        );
  } finally {
    await runner.release();
  }
}

/** What others have made around the table: it stays, and may refuse what the service does. */
async function neighboursFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const rows = await dataSource.query<{ line: string; stops: boolean }[]>(`
    SELECT format('%s refers to it (%s): ', conrelid::regclass, conname) ||
           CASE WHEN confdeltype IN ('c', 'n', 'd') THEN 'an account that is deleted takes it along'
                ELSE 'an account that it refers to cannot be deleted (409)' END AS line,
           false AS stops
      FROM pg_constraint
     WHERE contype = 'f' AND confrelid = '"user"'::regclass AND conname NOT IN ('user_session_user_id_fkey', 'recovery_token_user_id_fkey', 'mail_user_id_fkey')
    UNION ALL
    SELECT format('%s: what breaks it is refused (409)', pg_get_constraintdef(oid)), false
      FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid = '"user"'::regclass
    UNION ALL
    SELECT format('%s: what breaks it is refused (409)', pg_get_indexdef(indexrelid)), false
      FROM pg_index JOIN pg_class i ON i.oid = indexrelid
     WHERE indrelid = '"user"'::regclass AND indisunique
       AND relname NOT IN ('user_pkey', 'user_email_key', 'user_username_key')
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = indrelid AND a.attnum = ANY (indkey::int2[])
                          AND a.attname = 'username_folded')
    UNION ALL
    SELECT format('trigger %s: fires for what the service does too', tgname), false
      FROM pg_trigger WHERE tgrelid = '"user"'::regclass AND NOT tgisinternal
       AND tgname <> 'audit_deletion'
    UNION ALL
    SELECT format('%s.%s has its rows as a type, so that no column can be added: change that first',
                  attrelid::regclass, attname), true
      FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
     WHERE relkind IN ('r', 'p', 'm') AND NOT attisdropped
       AND atttypid = (SELECT reltype FROM pg_class WHERE oid = '"user"'::regclass)
    UNION ALL
    SELECT 'row-level security hides rows of it from this role: use one that it is not for', true
     WHERE row_security_active('"user"')
    UNION ALL
    SELECT format('publication %s sends it on: subscribers need the same columns', pubname), false
      FROM pg_publication_tables
     WHERE tablename = 'user' AND schemaname = current_schema()`);
  const details = rows.map(({ line }) => line);
  if (rows.some(({ stops }) => stops)) {
    return finding('stop', 'Something around the table "user" is in the way', { details }, details);
  }
  return rows.length === 0
    ? finding('ok', 'Nothing else in the database depends on the table "user"', { details })
    : finding('warning', 'Others have to do with the table "user"', { details }, details);
}

async function alembicFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const [table] = await dataSource.query<[{ readable: boolean }?]>(
    `SELECT has_table_privilege(oid, 'SELECT') AS readable
       FROM pg_class WHERE oid = to_regclass('alembic_version')`,
  );
  if (table?.readable === false) {
    return finding('warning', "Alembic's revision is not for this role to read", {
      revision: null,
    });
  }
  if (table === undefined) {
    return finding(
      'warning',
      'There is no table alembic_version: it may not be Alembic that made this',
      {
        revision: null,
      },
    );
  }
  const rows = await dataSource.query<{ version_num: string }[]>(
    'SELECT version_num FROM alembic_version ORDER BY 1',
  );
  const revisions = rows.map(({ version_num }) => version_num);
  return finding('ok', `Alembic's revision is ${revisions.join(', ') || 'none'}; it stays`, {
    revision: revisions.join(',') || null,
  });
}

async function privilegesFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const [facts] = await dataSource.query<
    [
      {
        role: string;
        owner: string;
        owns: boolean;
        reads: boolean;
        schema: string;
        creates: boolean;
      },
    ]
  >(`
    SELECT current_user AS role, pg_get_userbyid(relowner) AS owner,
           pg_has_role(current_user, relowner, 'MEMBER') AS owns,
           has_table_privilege(oid, 'SELECT') AS reads, current_schema() AS schema,
           has_schema_privilege(relowner, current_schema(), 'CREATE') AS creates
      FROM pg_class WHERE oid = '"user"'::regclass`);
  const { role, owner, owns, reads, schema, creates } = facts;
  if (!owns || !reads) {
    return finding(
      'stop',
      `The table "user" belongs to ${owner}: run this as that role, or GRANT ${owner} TO ${role}`,
      facts,
    );
  }
  return creates
    ? finding(
        'ok',
        `${role} may change the table "user" as ${owner}, to whom all of it belongs`,
        facts,
      )
    : finding(
        'stop',
        `${owner} may make no tables: GRANT CREATE ON SCHEMA ${schema} TO ${owner}`,
        facts,
      );
}

/** What would be made must not be there: a table, its row type, an index, a constraint's index. */
async function namesFinding(
  dataSource: ServiceDataSource,
  migrations: readonly PlannedMigration[],
): Promise<Finding> {
  const made = migrations
    .flatMap(({ statements }) => statements)
    .flatMap(({ sql }) =>
      sql.startsWith('CREATE ')
        ? [...sql.matchAll(/(?:TABLE|INDEX|CONCURRENTLY|EXISTS|CONSTRAINT) "(\w+)"(?! ADD)/g)].map(
            ([, name]) => name,
          )
        : [],
    );
  const rows = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1)
        -- What is left of an index that was interrupted is cleaned up by its migration.
        AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = pg_class.oid AND NOT indisvalid)
     UNION
     SELECT typname FROM pg_type
      WHERE typnamespace = current_schema()::regnamespace AND typname = ANY ($1)`,
    [made],
  );
  const taken = rows.map(({ name }) => name);
  return taken.length === 0
    ? finding('ok', 'The names of what would be made are free', { taken })
    : finding(
        'stop',
        `There is something already by the name of what would be made (${taken.join(', ')}): rename it first`,
        { taken },
      );
}

async function approximateRows(dataSource: ServiceDataSource): Promise<number> {
  // -1 where nobody has counted them yet.
  const [{ rows }] = await dataSource.query<[{ rows: number }]>(`
    SELECT CASE WHEN reltuples < 0 THEN (SELECT count(*) FROM "user") ELSE reltuples END::int AS rows
      FROM pg_class WHERE oid = '"user"'::regclass`);
  return rows;
}

async function accountsFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const accounts = await surveyAccounts(dataSource);
  const {
    total,
    hashes,
    unverifiable,
    refusedEmails,
    sameUsernames,
    sameEmails,
    likeUsernames,
    likeEmails,
  } = accounts;
  const examples = (all: readonly (number | readonly number[])[]): string =>
    all
      .slice(0, EXAMPLES)
      .map((one) => [one].flat().join(' and '))
      .join(', ') + (all.length > EXAMPLES ? ' …' : '');
  const notes = [
    unverifiable.count > 0 &&
      `${String(unverifiable.count)} with a hash that nothing verifies against, who cannot log in (nor at the FastAPI backend, as far as it is bcrypt): ${examples(unverifiable.accounts)}`,
    refusedEmails.count > 0 &&
      `${String(refusedEmails.count)} with an email address that could not sign up here; they stay as they are: ${examples(refusedEmails.accounts)}`,
    sameUsernames.count > 0 &&
      `${String(sameUsernames.count)} usernames that are one in whatever case; all keep working: ${examples(sameUsernames.groups)}`,
    sameEmails.count > 0 &&
      `${String(sameEmails.count)} email addresses that are; all keep working: ${examples(sameEmails.groups)}`,
    likeUsernames.count > 0 &&
      `${String(likeUsernames.count)} usernames that look like others; all keep working: ${examples(likeUsernames.groups)}`,
    likeEmails.count > 0 &&
      `${String(likeEmails.count)} email addresses that do; all keep working: ${examples(likeEmails.groups)}`,
  ].filter((note) => note !== false);
  return finding(
    notes.length > 0 ? 'warning' : 'ok',
    `${String(total)} accounts${notes.length > 0 ? ', of which some are to be known about (by their ids)' : ''}`,
    accounts,
    [
      ...hashes.map(({ settings, accounts: count }) => `${String(count)} with hashes ${settings}…`),
      ...notes,
    ],
  );
}

async function tokenFinding(
  dataSource: ServiceDataSource,
  { SECRET_KEY, SECRET_KEY_PREVIOUS }: Settings,
  token: string,
): Promise<Finding> {
  const tokens = new TokenService(
    new JwtService(),
    new SigningKeys(
      keyOf(SECRET_KEY),
      SECRET_KEY_PREVIOUS === '' ? undefined : keyOf(SECRET_KEY_PREVIOUS),
    ),
  );
  const payload = payloadOf(tokens, token);
  if (payload === undefined) {
    return finding('stop', 'SECRET_KEY does not open the token: it was signed with another key', {
      opens: false,
    });
  }
  const { exp } = payload;
  if (typeof exp === 'number' && exp * 1000 <= Date.now()) {
    return finding(
      'warning',
      `SECRET_KEY opens the token, which has expired (${new Date(exp * 1000).toISOString()})`,
      { opens: true, expired: true },
    );
  }
  const claims = tokens.claimsOf(payload, token);
  if (claims === undefined) {
    return finding(
      'stop',
      'SECRET_KEY opens the token, but the service would refuse it: the FastAPI backend gives its tokens 24 hours at most, and a username as `sub`',
      { opens: true },
    );
  }
  const [account] = await dataSource.query<[{ id: number }?]>(
    'SELECT id FROM "user" WHERE username = $1',
    [claims.username],
  );
  return account === undefined
    ? finding('stop', 'SECRET_KEY opens the token, but nobody here has the name in it', {
        opens: true,
      })
    : finding('ok', `SECRET_KEY opens the token: it is account ${String(account.id)}`, {
        opens: true,
        account: account.id,
      });
}

/** What a token says, expired or not, if it was signed with one of the keys. */
function payloadOf(tokens: TokenService, token: string): Record<string, unknown> | undefined {
  try {
    const key: KeyObject = tokens.keyOf(token);
    return new JwtService({ secret: key }).verify<Record<string, unknown>>(token, {
      algorithms: [ALGORITHM],
      ignoreExpiration: true,
    });
  } catch {
    // Whatever is wrong with it: it is not opened.
    return undefined;
  }
}
