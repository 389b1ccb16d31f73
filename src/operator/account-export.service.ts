import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import type { StoredAccount } from '../user/user.service';
import { writeAccountLine } from './account-line';
import { Operator } from './operator';

/** Accounts that are read, and written, at once. */
const BATCH_ROWS = 500;

interface Row extends StoredAccount {
  readonly id: number;
}

/** Writes every account down, hashes and all. */
@Injectable()
export class AccountExport {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly operator: Operator,
  ) {}

  /**
   * All accounts as lines of JSON, by id, some at a time: as they were at one moment, whatever is
   * written meanwhile.
   */
  async *lines(): AsyncGenerator<string> {
    await recordEvent(this.dataSource.manager, this.operator, 'users_export_begun');
    let exported = 0;
    // No `DataSource.transaction`: what has been written out cannot be tried once more.
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction('REPEATABLE READ');
      await runner.query('SET TRANSACTION READ ONLY');
      // Whoever reads what is written may take their time.
      await runner.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      let last: number = Number.MIN_SAFE_INTEGER;
      for (let rows: Row[] = [], first = true; first || rows.length === BATCH_ROWS; first = false) {
        rows = await runner.manager.query<Row[]>(
          `SELECT id, username, email, password, email_verified_at AS "emailVerifiedAt",
                  disabled_at AS "disabledAt"
             FROM "user" WHERE id > $1::bigint ORDER BY id LIMIT $2`,
          [last, BATCH_ROWS],
        );
        if (rows.length > 0) yield rows.map(writeAccountLine).join('');
        exported += rows.length;
        last = rows.at(-1)?.id ?? last;
      }
      await runner.commitTransaction();
    } finally {
      // Whoever reads may have stopped; a connection that is lost has no transaction any more.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      await runner.release();
    }
    this.operator.say('users_exported', { counts: { exported } });
  }
}
