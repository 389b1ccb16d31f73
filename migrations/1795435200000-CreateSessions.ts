import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the tables of logins, of their refresh tokens, and of the reference's tokens that are dead.
 * The foreign key takes a lock that holds writers of "user" up for an instant: the tables are new.
 */
export class CreateSessions1795435200000 implements MigrationInterface {
  name = 'CreateSessions1795435200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "user_session" (
        "id" uuid NOT NULL,
        "user_id" integer NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "last_used_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        "generation" integer NOT NULL DEFAULT 0,
        "ip" character varying,
        "user_agent" character varying,
        CONSTRAINT "user_session_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "user_session_user_id_fkey" FOREIGN KEY ("user_id")
          REFERENCES "user" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(
      'CREATE INDEX "user_session_user_id_idx" ON "user_session" ("user_id", "created_at")',
    );
    await queryRunner.query(
      'CREATE INDEX "user_session_expires_at_idx" ON "user_session" ("expires_at")',
    );
    await queryRunner.query(`
      CREATE TABLE "refresh_token" (
        "hash" bytea NOT NULL,
        "session_id" uuid NOT NULL,
        "used_at" TIMESTAMP WITH TIME ZONE,
        CONSTRAINT "refresh_token_pkey" PRIMARY KEY ("hash"),
        CONSTRAINT "refresh_token_session_id_fkey" FOREIGN KEY ("session_id")
          REFERENCES "user_session" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(
      'CREATE INDEX "refresh_token_session_id_idx" ON "refresh_token" ("session_id")',
    );
    await queryRunner.query(`
      CREATE TABLE "revoked_token" (
        "digest" bytea NOT NULL,
        "issued_before" TIMESTAMP WITH TIME ZONE NOT NULL,
        "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT "revoked_token_pkey" PRIMARY KEY ("digest")
      )`);
    await queryRunner.query(
      'CREATE INDEX "revoked_token_expires_at_idx" ON "revoked_token" ("expires_at")',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "revoked_token"');
    await queryRunner.query('DROP TABLE "refresh_token"');
    await queryRunner.query('DROP TABLE "user_session"');
  }
}
