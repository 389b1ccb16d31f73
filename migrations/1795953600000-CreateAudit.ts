import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the audit trail, which whoever may only write to it cannot change: what takes addresses and old
 * events away belongs to the owner, and does nothing else. The trigger holds who writes accounts up for
 * an instant; where somebody has the table for long, the migration gives up, and is to be run again.
 */
export class CreateAudit1795953600000 implements MigrationInterface {
  name = 'CreateAudit1795953600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // Who has a limit of their own keeps that.
    await queryRunner.query(
      `SELECT set_config('lock_timeout', '3s', true) WHERE current_setting('lock_timeout') = '0'`,
    );
    await queryRunner.query(`
      CREATE TABLE "audit_event" (
        "id" bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "kind" character varying NOT NULL,
        "outcome" character varying NOT NULL,
        "account" integer,
        "session" uuid,
        "address" character varying,
        "operator" character varying,
        CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
      )`);
    await queryRunner.query(
      'CREATE INDEX "audit_event_account_idx" ON "audit_event" ("account", "id")',
    );
    await queryRunner.query('CREATE INDEX "audit_event_at_idx" ON "audit_event" ("at")');
    await queryRunner.query(`
      CREATE TABLE "audit_policy" (
        "id" boolean NOT NULL DEFAULT true,
        "retention_days" integer NOT NULL,
        CONSTRAINT "audit_policy_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "audit_policy_one_row" CHECK (id)
      )`);

    // Functions that run as the owner look for tables where those are, whatever their caller's path.
    const [{ schema }] = (await queryRunner.query(
      'SELECT quote_ident(current_schema()) AS schema',
    )) as [{ schema: string }];
    await queryRunner.query(`
      CREATE FUNCTION "audit_forget_addresses"() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${schema}, pg_temp
      AS $$
      BEGIN
        UPDATE audit_event SET address = NULL
         WHERE account IN (SELECT id FROM deleted) AND address IS NOT NULL;
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER "audit_forget_addresses" AFTER DELETE ON "user"
        REFERENCING OLD TABLE AS deleted
        FOR EACH STATEMENT EXECUTE FUNCTION audit_forget_addresses()`);
    await queryRunner.query(`
      CREATE FUNCTION "audit_prune"() RETURNS integer
        LANGUAGE sql SECURITY DEFINER SET search_path = ${schema}, pg_temp
      AS $$
        WITH pruned AS (
               DELETE FROM audit_event WHERE id IN (
                 SELECT id FROM audit_event
                  WHERE at < now() - (SELECT retention_days FROM audit_policy) * interval '1 day'
                  ORDER BY at LIMIT 1000 FOR UPDATE SKIP LOCKED)
               RETURNING id)
        SELECT count(*)::integer FROM pruned
      $$`);
    await queryRunner.query('REVOKE ALL ON FUNCTION audit_prune() FROM PUBLIC');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER "audit_forget_addresses" ON "user"');
    await queryRunner.query('DROP FUNCTION "audit_prune"()');
    await queryRunner.query('DROP FUNCTION "audit_forget_addresses"()');
    await queryRunner.query('DROP TABLE "audit_policy"');
    await queryRunner.query('DROP TABLE "audit_event"');
  }
}
