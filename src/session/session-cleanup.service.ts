import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';

const INTERVAL_MS = 10 * 60 * 1000;
/** Rows that one transaction deletes: it holds nobody up. */
const BATCH_ROWS = 1000;
/** Advisory lock of whoever cleans up. */
const CLEANUP_LOCK = 0x75_61_73_03;

/** What expires: its table, and its key. */
const EXPIRING = [
  ['user_session', 'id'],
  ['revoked_token', 'digest'],
] as const;

/** Deletes what has expired an hour ago, by whatever clock; of several processes, one at a time. */
@Injectable()
export class SessionCleanupService extends PeriodicJob {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseService,
  ) {
    super(database, INTERVAL_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const [table, key] of EXPIRING) {
      let deleted = BATCH_ROWS;
      while (deleted === BATCH_ROWS && !signal.aborted) {
        deleted = await this.deleteBatch(table, key);
      }
    }
  }

  private deleteBatch(table: string, key: string): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const [lock] = await manager.query<[{ mine: boolean }]>(
        'SELECT pg_try_advisory_xact_lock($1) AS mine',
        [CLEANUP_LOCK],
      );
      if (!lock.mine) return 0;
      const [, count] = await manager.query<[unknown, number]>(
        `DELETE FROM ${table} WHERE ${key} IN (
           SELECT ${key} FROM ${table} WHERE expires_at <= now() - interval '1 hour'
            ORDER BY expires_at LIMIT $1
           FOR UPDATE SKIP LOCKED)`,
        [BATCH_ROWS],
      );
      return count;
    });
  }
}
