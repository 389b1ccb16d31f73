import type { ServiceDataSource } from '../database/data-source';
import { type Check, type Finding, ok, problem } from './check';

/** Statements that are shown. */
const SHOWN = 3;

/** Whether the schema is the one of this version. */
export function schemaChecks(dataSource: ServiceDataSource): Check[] {
  return [
    { name: 'migrations', look: () => migrationsFinding(dataSource) },
    { name: 'schema', look: () => driftFinding(dataSource) },
    { name: 'indexes', look: () => indexesFinding(dataSource) },
  ];
}

async function migrationsFinding(dataSource: ServiceDataSource): Promise<Finding> {
  const pending = await dataSource.pendingMigrations();
  if (pending.length > 0) {
    return problem(
      `Migrations are pending, and the service is not ready: ${pending.map(({ name }) => name).join(', ')}`,
      'npx typeorm migration:run -d dist/ormconfig.js, as the owner of the tables; with docker compose: docker compose up migrate',
    );
  }
  const newer = await newerMigrations(dataSource);
  return ok(
    newer.length === 0
      ? 'The schema has every migration of this version'
      : `The schema is that of a newer version (${newer.join(', ')}); this one works on it`,
  );
}

/** Those that this version does not know. */
async function newerMigrations(dataSource: ServiceDataSource): Promise<string[]> {
  const known = dataSource.migrations.map(({ name }) => name);
  const executed = await dataSource.executedMigrations();
  return executed.map(({ name }) => name).filter((name) => !known.includes(name));
}

async function driftFinding(dataSource: ServiceDataSource): Promise<Finding | []> {
  const pending = await dataSource.pendingMigrations();
  if (pending.length > 0) return [];
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  const statements = upQueries.map(({ query }) => query);
  if (statements.length === 0) return ok('Tables, columns and indexes are as they should be');
  const lacking = statements.filter((sql) => !/^(ALTER TABLE \S+ )?DROP /.test(sql));
  if (lacking.length === 0) {
    // Of a newer version, or of others who share the tables.
    return ok(
      `There is more in the tables than this version knows: ${String(statements.length)} things`,
    );
  }
  const shown = lacking.slice(0, SHOWN).join('; ');
  return problem(
    `The schema is not what its migrations have made: somebody has changed it`,
    `As the owner of the tables: ${shown}${lacking.length > SHOWN ? `; and ${String(lacking.length - SHOWN)} more, see npm run schema:log` : ''}`,
  );
}

async function indexesFinding(dataSource: ServiceDataSource): Promise<Finding[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class ON oid = indrelid
      WHERE NOT indisvalid AND relname = ANY ($1) AND relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = indexrelid)`,
    [tablesOf(dataSource)],
  );
  return rows.length === 0
    ? [ok('Every index is whole')]
    : rows.map(({ name }) =>
        problem(
          `The index ${name} was not finished, and nothing uses it`,
          `REINDEX INDEX CONCURRENTLY ${name}`,
        ),
      );
}

/** Names of the tables of the service. */
export function tablesOf(dataSource: ServiceDataSource): string[] {
  return dataSource.entityMetadatas.map(({ tableName }) => tableName);
}
