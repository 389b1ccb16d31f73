import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { ExpiredRowsJob } from '../database/expired-rows.job';
import { PLACE_DAYS } from './guess-limits.service';

/** Advisory lock of whoever cleans up. */
const CLEANUP_LOCK = 0x75_61_73_05;

/** Deletes what was counted in windows that are over, of names that nobody has, and old places. */
@Injectable()
export class LimitsCleanupService extends ExpiredRowsJob {
  constructor(@InjectDataSource() dataSource: DataSource, database: DatabaseService) {
    super(dataSource, database, CLEANUP_LOCK, [
      {
        table: 'rate_limit',
        key: 'key',
        column: 'expire',
        // An hour ago: windows end by the clocks of the processes.
        before: `extract(epoch FROM now() - interval '1 hour') * 1000`,
      },
      { table: 'password_failure', key: 'account', column: 'expires_at', before: 'now()' },
      {
        table: 'known_place',
        key: 'user_id, place',
        column: 'last_login_at',
        before: `now() - interval '${String(PLACE_DAYS)} days'`,
      },
    ]);
  }
}
