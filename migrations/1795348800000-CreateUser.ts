import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What marks a table as made here, and tells it from one that was adopted. */
const MADE_HERE = 'Made by migration CreateUser1795348800000';

/** What the service relies on; an adopted table may have more. */
const COLUMNS = ['email', 'id', 'password', 'username'];
const CONSTRAINTS = ['user_email_key', 'user_pkey', 'user_username_key'];

/** Makes the table of accounts, or adopts the one that the FastAPI backend left. */
export class CreateUser1795348800000 implements MigrationInterface {
  name = 'CreateUser1795348800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    if (await queryRunner.hasTable('user')) {
      await this.adopt(queryRunner);
      return;
    }
    await queryRunner.query(`
      CREATE TABLE "user" (
        "id" SERIAL NOT NULL,
        "email" character varying NOT NULL,
        "password" character varying NOT NULL,
        "username" character varying NOT NULL,
        CONSTRAINT "user_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "user_email_key" UNIQUE ("email"),
        CONSTRAINT "user_username_key" UNIQUE ("username")
      )`);
    await queryRunner.query(`COMMENT ON CONSTRAINT "user_pkey" ON "user" IS '${MADE_HERE}'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const [table] = (await queryRunner.query(`
      SELECT obj_description(oid, 'pg_constraint') = '${MADE_HERE}' AS made_here,
             EXISTS (SELECT FROM "user") AS has_rows
        FROM pg_constraint
       WHERE conrelid = '"user"'::regclass AND contype = 'p'`)) as [
      { made_here: boolean | null; has_rows: boolean }?,
    ];
    if (table?.made_here !== true) {
      throw new Error(
        'The table "user" was there before this service and stays: nothing was reverted',
      );
    }
    if (table.has_rows) {
      throw new Error(
        'The table "user" holds accounts and stays: nothing was reverted. Delete them first if you mean it',
      );
    }
    await queryRunner.query('DROP TABLE "user"');
  }

  /** Leaves the table as it is, after making sure that it is the one the service knows. */
  private async adopt(queryRunner: QueryRunner): Promise<void> {
    const columns = (await queryRunner.query(`
      SELECT attname AS name
        FROM pg_attribute
       WHERE attrelid = '"user"'::regclass AND attnum > 0 AND NOT attisdropped`)) as Named[];
    const constraints = (await queryRunner.query(`
      SELECT conname AS name FROM pg_constraint WHERE conrelid = '"user"'::regclass`)) as Named[];
    const missing = [
      ...missingFrom(columns, COLUMNS).map((name) => `column "${name}"`),
      ...missingFrom(constraints, CONSTRAINTS).map((name) => `constraint "${name}"`),
    ];
    if (missing.length > 0) {
      throw new Error(
        `There is a table "user", and it is not the FastAPI backend's: it lacks ${missing.join(', ')}. Nothing was changed`,
      );
    }
  }
}

interface Named {
  readonly name: string;
}

function missingFrom(found: readonly Named[], wanted: readonly string[]): string[] {
  return wanted.filter((name) => !found.some((item) => item.name === name));
}
