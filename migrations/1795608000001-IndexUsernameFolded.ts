import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What makes names unique in whatever case. */
const FOLDED = 'user_username_folded_key';
/** By which a name is looked for among the rows that are not folded yet. */
const UNFOLDED_NAMES = 'user_unfolded_username_idx';
/** By which those rows are found, in their order: statistics from before would lead elsewhere. */
const UNFOLDED_IDS = 'user_unfolded_id_idx';

/**
 * Builds the indexes of case-folded names while others write. An interruption at any point leaves at
 * most an index that is not valid; the next run drops that and builds it again.
 */
export class IndexUsernameFolded1795608000001 implements MigrationInterface {
  name = 'IndexUsernameFolded1795608000001';
  /** CONCURRENTLY knows no transaction. */
  transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await withoutTimeouts(queryRunner, async () => {
      // What the service wrote before there was an index to say no.
      await queryRunner.query(`
        UPDATE "user" SET "username_folded" = NULL WHERE "id" IN (
          SELECT "id" FROM (
            SELECT "id", row_number() OVER (PARTITION BY "username_folded" ORDER BY "id") AS "nth"
              FROM "user" WHERE "username_folded" IS NOT NULL) AS "folded"
           WHERE "nth" > 1)`);
      await build(
        queryRunner,
        FOLDED,
        `CREATE UNIQUE INDEX CONCURRENTLY "${FOLDED}" ON "user" ("username_folded")
          WHERE username_folded IS NOT NULL`,
      );
      await build(
        queryRunner,
        UNFOLDED_NAMES,
        `CREATE INDEX CONCURRENTLY "${UNFOLDED_NAMES}" ON "user" (lower("username" COLLATE "C"))
          WHERE username_folded IS NULL`,
      );
      await build(
        queryRunner,
        UNFOLDED_IDS,
        `CREATE INDEX CONCURRENTLY "${UNFOLDED_IDS}" ON "user" ("id")
          WHERE username_folded IS NULL`,
      );
    });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await withoutTimeouts(queryRunner, async () => {
      for (const name of [UNFOLDED_IDS, UNFOLDED_NAMES, FOLDED]) {
        await queryRunner.query(`DROP INDEX CONCURRENTLY IF EXISTS "${name}"`);
      }
    });
  }
}

async function build(queryRunner: QueryRunner, name: string, create: string): Promise<void> {
  const [index] = (await queryRunner.query(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('"${name}"')`,
  )) as { valid: boolean }[];
  if (index?.valid === true) return;
  if (index !== undefined) await queryRunner.query(`DROP INDEX CONCURRENTLY "${name}"`);
  await queryRunner.query(create);
}

/**
 * Building waits for whoever writes to the table, and nobody waits for it: there is no reason to give
 * up, and much to lose. What is not set is left alone: behind a pooler, the connection is others' too.
 */
async function withoutTimeouts(queryRunner: QueryRunner, work: () => Promise<void>): Promise<void> {
  const limits = (await queryRunner.query(
    `SELECT name, current_setting(name) AS value FROM pg_settings
      WHERE name IN ('lock_timeout', 'statement_timeout') AND setting <> '0'`,
  )) as { name: string; value: string }[];
  for (const { name } of limits) await queryRunner.query(`SET ${name} = 0`);
  try {
    await work();
  } finally {
    for (const { name, value } of limits) await queryRunner.query(`SET ${name} = '${value}'`);
  }
}
