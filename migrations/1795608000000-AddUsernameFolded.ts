import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Gives each account a place for the case-folded form of its name, empty in the rows that are there
 * and in those that others write. The table is not rewritten.
 */
export class AddUsernameFolded1795608000000 implements MigrationInterface {
  name = 'AddUsernameFolded1795608000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "user" ADD COLUMN "username_folded" character varying');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "user" DROP COLUMN "username_folded"');
  }
}
