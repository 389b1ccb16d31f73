import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives accounts an address that is known to be theirs, and a state in which nobody logs in; makes
 * the table of the tokens that are sent by mail, and that of the mails. Nothing is rewritten; the new
 * columns hold everybody up for an instant. Where somebody reads the table for long, as a backup does,
 * that instant would not come soon, and every login wait behind it: the migration gives up instead,
 * and is to be run again.
 */
export class CreateRecovery1795867200000 implements MigrationInterface {
  name = 'CreateRecovery1795867200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // Who has a limit of their own keeps that.
    await queryRunner.query(
      `SELECT set_config('lock_timeout', '3s', true) WHERE current_setting('lock_timeout') = '0'`,
    );
    await queryRunner.query(
      'ALTER TABLE "user" ADD COLUMN "email_verified_at" TIMESTAMP WITH TIME ZONE, ADD COLUMN "disabled_at" TIMESTAMP WITH TIME ZONE',
    );
    await queryRunner.query(`
      CREATE TABLE "recovery_token" (
        "hash" bytea NOT NULL,
        "user_id" integer NOT NULL,
        "purpose" character varying NOT NULL,
        "email" character varying NOT NULL,
        "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "mail_id" bigint,
        "code_hash" bytea,
        "code_expires_at" TIMESTAMP WITH TIME ZONE,
        "code_tries" integer NOT NULL DEFAULT 0,
        CONSTRAINT "recovery_token_pkey" PRIMARY KEY ("hash"),
        CONSTRAINT "recovery_token_user_id_fkey" FOREIGN KEY ("user_id")
          REFERENCES "user" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(
      'CREATE INDEX "recovery_token_user_id_idx" ON "recovery_token" ("user_id")',
    );
    await queryRunner.query(
      'CREATE INDEX "recovery_token_email_idx" ON "recovery_token" ("email")',
    );
    await queryRunner.query(
      'CREATE INDEX "recovery_token_expires_at_idx" ON "recovery_token" ("expires_at")',
    );
    await queryRunner.query(`
      CREATE TABLE "mail" (
        "id" BIGSERIAL NOT NULL,
        "kind" character varying NOT NULL,
        "user_id" integer,
        "recipient" character varying NOT NULL,
        "language" character varying NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "attempts" integer NOT NULL DEFAULT 0,
        "next_attempt_at" TIMESTAMP WITH TIME ZONE DEFAULT now(),
        "sent_at" TIMESTAMP WITH TIME ZONE,
        "failure" character varying,
        "content" jsonb,
        CONSTRAINT "mail_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "mail_user_id_fkey" FOREIGN KEY ("user_id")
          REFERENCES "user" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query('CREATE INDEX "mail_user_id_idx" ON "mail" ("user_id")');
    await queryRunner.query(
      'CREATE INDEX "mail_next_attempt_at_idx" ON "mail" ("next_attempt_at") WHERE next_attempt_at IS NOT NULL',
    );
    await queryRunner.query('CREATE INDEX "mail_created_at_idx" ON "mail" ("created_at")');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "mail"');
    await queryRunner.query('DROP TABLE "recovery_token"');
    await queryRunner.query(
      'ALTER TABLE "user" DROP COLUMN "disabled_at", DROP COLUMN "email_verified_at"',
    );
  }
}
