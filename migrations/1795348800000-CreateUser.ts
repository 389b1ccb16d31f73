import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What marks a table as made here, and tells it from one that was adopted. */
const MADE_HERE = 'Made by migration CreateUser1795348800000';

/** What the service relies on, as PostgreSQL writes it: a column or a constraint by line. */
const WANTED = [
  'column email: character varying not null',
  'column id: integer not null with a default',
  'column password: character varying not null',
  'column username: character varying not null',
  'constraint user_email_key: UNIQUE (email)',
  'constraint user_pkey: PRIMARY KEY (id)',
  'constraint user_username_key: UNIQUE (username)',
];

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
    // A registration that is not committed yet would not be seen, and then be dropped.
    await queryRunner.query('LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE');
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

  /**
   * Leaves the table as it is, after making sure that it is the one the service knows. It may have
   * more columns, as long as an insert need not name them.
   */
  private async adopt(queryRunner: QueryRunner): Promise<void> {
    const { missing, demanded } = await describeUserTable(queryRunner);
    if (missing.length > 0 || demanded.length > 0) {
      const differences = [
        ...missing.map((line) => `it lacks ${line}`),
        ...demanded.map((line) => `it wants ${line}`),
      ];
      throw new Error(
        `There is a table "user", and it is not the FastAPI backend's: ${differences.join('; ')}. Nothing was changed`,
      );
    }
  }
}

/** The table of accounts that is there, in lines like `column id: integer not null`. */
export interface UserTable {
  readonly found: readonly string[];
  /** What the service relies on and the table has not. */
  readonly missing: readonly string[];
  /** What an insert would have to name and the service does not know. */
  readonly demanded: readonly string[];
}

/** Looks at the table of accounts. @throws QueryFailedError when there is none */
export async function describeUserTable(queryRunner: QueryRunner): Promise<UserTable> {
  const found = (await queryRunner.query(`
    SELECT 'column ' || attname || ': ' || format_type(atttypid, atttypmod)
           || CASE WHEN attnotnull THEN ' not null' ELSE '' END
           || CASE WHEN atthasdef OR attidentity <> '' THEN ' with a default' ELSE '' END AS line,
           attnotnull AND NOT atthasdef AND attidentity = '' AS required
      FROM pg_attribute
     WHERE attrelid = '"user"'::regclass AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint ' || conname || ': ' || pg_get_constraintdef(oid), false
      FROM pg_constraint WHERE conrelid = '"user"'::regclass`)) as {
    line: string;
    required: boolean;
  }[];
  return {
    found: found.map(({ line }) => line),
    missing: WANTED.filter((line) => !found.some((item) => item.line === line)),
    demanded: found
      .filter(({ line, required }) => required && !WANTED.includes(line))
      .map(({ line }) => line),
  };
}
