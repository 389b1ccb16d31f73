import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the audit trail, which whoever may only add to it cannot change: what takes addresses and old
 * events away belongs to the owner, and does nothing else. The trigger holds who writes accounts up for
 * an instant; where somebody has the table for long, the migration gives up, and is to be run again.
 */
export class CreateAudit1795953600000 implements MigrationInterface {
  name = 'CreateAudit1795953600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(LOCK_TIMEOUT);
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
        CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "audit_event_kind" CHECK (kind ~ '^[a-z_]{1,64}$'),
        CONSTRAINT "audit_event_outcome" CHECK (outcome IN ('success', 'failure'))
      )`);
    await queryRunner.query(
      'CREATE INDEX "audit_event_account_idx" ON "audit_event" ("account", "at", "id")',
    );
    await queryRunner.query('CREATE INDEX "audit_event_at_idx" ON "audit_event" ("at", "id")');
    // Accounts that were deleted of late, whose addresses are to go.
    await queryRunner.query(`
      CREATE TABLE "audit_forgotten" (
        "account" integer NOT NULL,
        "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "audit_forgotten_pkey" PRIMARY KEY ("account")
      )`);
    await queryRunner.query(`
      CREATE TABLE "audit_policy" (
        "id" boolean NOT NULL DEFAULT true,
        "retention_days" integer NOT NULL,
        CONSTRAINT "audit_policy_pkey" PRIMARY KEY ("id"),
        CONSTRAINT "audit_policy_one_row" CHECK (id)
      )`);
    await queryRunner.query('INSERT INTO "audit_policy" ("retention_days") VALUES (365)');
    // What the role of the service was given of what was there before, for when that is taken back.
    await queryRunner.query(`
      CREATE TABLE "service_grant" (
        "role" name NOT NULL,
        "object" character varying NOT NULL,
        "privilege" character varying NOT NULL,
        CONSTRAINT "service_grant_pkey" PRIMARY KEY ("role", "object", "privilege")
      )`);

    // What runs as the owner means the same whatever else is in the schema, or in the session.
    const [{ schema }] = (await queryRunner.query(
      'SELECT quote_ident(current_schema()) AS schema',
    )) as [{ schema: string }];
    // A thousand addresses at once; those of an account with more go later, as those that come too late.
    await queryRunner.query(`
      CREATE FUNCTION "audit_deletion"() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
      AS $$
      BEGIN
        IF TG_RELID <> '${schema}."user"'::regclass THEN
          RAISE EXCEPTION 'audit_deletion is for the table of accounts';
        END IF;
        INSERT INTO ${schema}.audit_event (kind, outcome, account, session, operator)
        SELECT 'user_deleted', 'success', id,
               nullif(current_setting('user_account.session', true), '')::uuid,
               nullif(current_setting('user_account.operator', true), '')
          FROM deleted;
        INSERT INTO ${schema}.audit_forgotten (account) SELECT id FROM deleted
            ON CONFLICT (account) DO UPDATE SET at = excluded.at;
        UPDATE ${schema}.audit_event SET address = NULL
         WHERE id IN (
           SELECT e.id FROM ${schema}.audit_event e JOIN deleted d ON e.account = d.id
            WHERE e.address IS NOT NULL LIMIT 1000);
        RETURN NULL;
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER "audit_deletion" AFTER DELETE ON "user"
        REFERENCING OLD TABLE AS deleted
        FOR EACH STATEMENT EXECUTE FUNCTION audit_deletion()`);
    await queryRunner.query(`
      CREATE FUNCTION "audit_prune"() RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
      AS $$
      DECLARE
        pruned integer;
        cleared integer;
      BEGIN
        DELETE FROM ${schema}.audit_event WHERE id IN (
          SELECT id FROM ${schema}.audit_event
           WHERE at < now() - make_interval(days => (SELECT retention_days FROM ${schema}.audit_policy))
           ORDER BY at LIMIT 1000 FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS pruned = ROW_COUNT;
        UPDATE ${schema}.audit_event SET address = NULL WHERE id IN (
          SELECT e.id FROM ${schema}.audit_event e JOIN ${schema}.audit_forgotten f ON e.account = f.account
           WHERE e.address IS NOT NULL
             AND NOT EXISTS (SELECT FROM ${schema}."user" u WHERE u.id = f.account)
           LIMIT 1000 FOR UPDATE OF e SKIP LOCKED);
        GET DIAGNOSTICS cleared = ROW_COUNT;
        IF cleared = 0 THEN
          DELETE FROM ${schema}.audit_forgotten WHERE at < now() - interval '1 hour';
        END IF;
        RETURN pruned + cleared;
      END $$`);
    await queryRunner.query('REVOKE ALL ON FUNCTION audit_deletion(), audit_prune() FROM PUBLIC');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(LOCK_TIMEOUT);
    const grants = (await queryRunner.query(
      `SELECT object, privilege, quote_ident(role) AS role FROM service_grant
        WHERE role IN (SELECT rolname FROM pg_roles)`,
    )) as { object: string; privilege: string; role: string }[];
    for (const { object, privilege, role } of grants) {
      await queryRunner.query(`REVOKE ${privilege} ON ${object} FROM ${role}`);
    }
    await queryRunner.query('DROP TRIGGER "audit_deletion" ON "user"');
    await queryRunner.query('DROP FUNCTION "audit_prune"()');
    await queryRunner.query('DROP FUNCTION "audit_deletion"()');
    await queryRunner.query('DROP TABLE "service_grant"');
    await queryRunner.query('DROP TABLE "audit_policy"');
    await queryRunner.query('DROP TABLE "audit_forgotten"');
    await queryRunner.query('DROP TABLE "audit_event"');
  }
}

/** Who has a limit of their own keeps that. */
const LOCK_TIMEOUT = `SELECT set_config('lock_timeout', '3s', true) WHERE current_setting('lock_timeout') = '0'`;
