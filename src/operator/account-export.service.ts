import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import { readSnapshot } from '../database/snapshot';
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
    for await (const rows of readSnapshot(this.dataSource, batches)) {
      yield rows.map(writeAccountLine).join('');
      exported += rows.length;
    }
    this.operator.say('users_exported', { counts: { exported } });
  }
}

async function* batches(manager: EntityManager): AsyncGenerator<Row[]> {
  let last: number = Number.MIN_SAFE_INTEGER;
  for (let rows: Row[] = [], first = true; first || rows.length === BATCH_ROWS; first = false) {
    rows = await manager.query<Row[]>(
      `SELECT id, username, email, password, email_verified_at AS "emailVerifiedAt",
              disabled_at AS "disabledAt"
         FROM "user" WHERE id > $1::bigint ORDER BY id LIMIT $2`,
      [last, BATCH_ROWS],
    );
    if (rows.length > 0) yield rows;
    last = rows.at(-1)?.id ?? last;
  }
}
