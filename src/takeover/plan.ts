import type { Migration, QueryRunner } from 'typeorm';
import type { ServiceDataSource } from '../database/data-source';

/** A migration that would run, and what it would do. */
export interface PlannedMigration {
  readonly name: string;
  readonly statements: readonly PlannedStatement[];
}

/** A statement, and what it means for whoever uses the table of accounts meanwhile. */
export interface PlannedStatement {
  readonly sql: string;
  /** What it locks of what is there already: PostgreSQL's name of the mode on "user", or nothing. */
  readonly lock: LockMode | null;
  /** Who waits for it. */
  readonly holdsUp: 'nobody' | 'writers' | 'everyone';
  /** Roughly how long it takes; 0 is an instant, however many rows there are. */
  readonly seconds: number;
}

export type LockMode =
  | 'RowExclusiveLock'
  | 'ShareUpdateExclusiveLock'
  | 'ShareLock'
  | 'ShareRowExclusiveLock'
  | 'AccessExclusiveLock';

/** PostgreSQL 17, §13.3.1: readers and writers of rows need modes that these conflict with. */
const HOLDS_UP = {
  RowExclusiveLock: 'nobody',
  ShareUpdateExclusiveLock: 'nobody',
  ShareLock: 'writers',
  ShareRowExclusiveLock: 'writers',
  AccessExclusiveLock: 'everyone',
} as const satisfies Record<LockMode, PlannedStatement['holdsUp']>;

/** An index made beside running writers reads the table twice: measured with a million rows. */
const INDEX_SECONDS_PER_ROW = 2e-6;

/** Statements by how they begin, and what they lock; where there is a number, by the row. */
const LOCKS: readonly (readonly [RegExp, LockMode | null, number])[] = [
  [/^CREATE TABLE .* REFERENCES "user"/, 'ShareRowExclusiveLock', 0],
  [/^CREATE (UNLOGGED )?TABLE /, null, 0],
  [
    /^CREATE (UNIQUE )?INDEX CONCURRENTLY .* ON "user"/,
    'ShareUpdateExclusiveLock',
    INDEX_SECONDS_PER_ROW,
  ],
  [/^DROP INDEX CONCURRENTLY /, 'ShareUpdateExclusiveLock', 0],
  [/^CREATE (UNIQUE )?INDEX .* ON "user"/, 'ShareLock', INDEX_SECONDS_PER_ROW],
  [/^CREATE (UNIQUE )?INDEX /, null, 0],
  [/^CREATE TRIGGER .* ON "user"/, 'ShareRowExclusiveLock', 0],
  [/^(CREATE|REVOKE ALL ON) FUNCTION /, null, 0],
  [/^INSERT INTO "audit_/, null, 0],
  [/^UPDATE "user" /, 'RowExclusiveLock', INDEX_SECONDS_PER_ROW],
  [/^ALTER TABLE "user" /, 'AccessExclusiveLock', 0],
  [/^(SET|RESET) /, null, 0],
];

/**
 * What every pending migration would do, found out by letting each run as far as it reads: what it
 * would write is noted, and not done.
 *
 * @param dataSource one that can only read
 * @param rows how many accounts there are
 */
export async function plannedMigrations(
  dataSource: ServiceDataSource,
  rows: number,
): Promise<PlannedMigration[]> {
  const pending = await dataSource.pendingMigrations();
  const reader = dataSource.createQueryRunner();
  try {
    const planned: PlannedMigration[] = [];
    for (const migration of pending) {
      const statements = await statementsOf(migration, reader);
      planned.push({
        name: migration.name,
        statements: statements.map((sql) => plannedStatement(sql, rows)),
      });
    }
    return planned;
  } finally {
    await reader.release();
  }
}

/** What a statement of a migration locks, and how long it takes with so many accounts. */
export function plannedStatement(sql: string, rows: number): PlannedStatement {
  // Of a kind that nobody has thought of, the worst is said.
  const [, lock, secondsPerRow] = LOCKS.find(([form]) => form.test(sql)) ?? [
    null,
    'AccessExclusiveLock' as const,
    INDEX_SECONDS_PER_ROW,
  ];
  return {
    sql,
    lock,
    holdsUp: lock === null ? 'nobody' : HOLDS_UP[lock],
    seconds: secondsPerRow * rows,
  };
}

async function statementsOf({ instance }: Migration, reader: QueryRunner): Promise<string[]> {
  const statements: string[] = [];
  const recorder = new Proxy(reader, {
    get(target, name) {
      if (name === 'hasTable') return (table: string) => target.hasTable(table);
      if (name !== 'query') {
        throw new Error(`A migration may ask for query and hasTable only, not ${String(name)}`);
      }
      return (sql: string, parameters?: unknown[]) => {
        const oneLine = sql.replace(/\s+/g, ' ').trim();
        if (/^SELECT /i.test(oneLine)) return target.query(sql, parameters);
        statements.push(oneLine);
        return Promise.resolve([]);
      };
    },
  });
  await instance?.up(recorder);
  return statements;
}
