import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the tables of the limits. What an address has done within the hour may be lost when the
 * server of the database crashes, and so its table is written to no log; how often an account's
 * password was guessed may not. Nothing refers to "user", so that a login waits for nobody here.
 */
export class CreateLimits1795780800000 implements MigrationInterface {
  name = 'CreateLimits1795780800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // The columns of rate-limiter-flexible, in its order, which it relies on.
    await queryRunner.query(`
      CREATE UNLOGGED TABLE "rate_limit" (
        "key" character varying NOT NULL,
        "points" integer NOT NULL DEFAULT 0,
        "expire" bigint,
        CONSTRAINT "rate_limit_pkey" PRIMARY KEY ("key")
      )`);
    await queryRunner.query('CREATE INDEX "rate_limit_expire_idx" ON "rate_limit" ("expire")');
    await queryRunner.query(`
      CREATE TABLE "password_failure" (
        "account" character varying NOT NULL,
        "failures" integer NOT NULL,
        "retry_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT "password_failure_pkey" PRIMARY KEY ("account")
      )`);
    await queryRunner.query(
      'CREATE INDEX "password_failure_expires_at_idx" ON "password_failure" ("expires_at")',
    );
    await queryRunner.query(`
      CREATE TABLE "known_place" (
        "user_id" integer NOT NULL,
        "place" character varying NOT NULL,
        "last_login_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "known_place_pkey" PRIMARY KEY ("user_id", "place")
      )`);
    await queryRunner.query(
      'CREATE INDEX "known_place_last_login_at_idx" ON "known_place" ("last_login_at")',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "known_place"');
    await queryRunner.query('DROP TABLE "password_failure"');
    await queryRunner.query('DROP TABLE "rate_limit"');
  }
}
