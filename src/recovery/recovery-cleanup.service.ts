import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { ExpiredRowsJob } from '../database/expired-rows.job';

/** Advisory lock of whoever cleans up. */
const CLEANUP_LOCK = 0x75_61_73_07;

/** Deletes tokens of mails that nobody has used in time. */
@Injectable()
export class RecoveryCleanupService extends ExpiredRowsJob {
  constructor(@InjectDataSource() dataSource: DataSource, database: DatabaseService) {
    super(dataSource, database, CLEANUP_LOCK, [
      { table: 'recovery_token', key: 'hash', column: 'expires_at', before: 'now()' },
    ]);
  }
}
