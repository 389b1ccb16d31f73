import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives each account the time before which tokens of the reference are dead. Those alive now stay
 * so: the rows that are there get a time before all others. Later rows, whoever makes them, get the
 * second they are made in, which is as exact as a token is. Neither step rewrites the table.
 */
export class AddNotBefore1795521600000 implements MigrationInterface {
  name = 'AddNotBefore1795521600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `ALTER TABLE "user" ADD COLUMN "not_before" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '-infinity'`,
    );
    await queryRunner.query(
      `ALTER TABLE "user" ALTER COLUMN "not_before" SET DEFAULT date_trunc('second', now())`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "user" DROP COLUMN "not_before"');
  }
}
