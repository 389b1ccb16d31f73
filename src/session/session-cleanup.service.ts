import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { ExpiredRowsJob } from '../database/expired-rows.job';

/** Advisory lock of whoever cleans up. */
const CLEANUP_LOCK = 0x75_61_73_03;

/** By whatever clock. */
const BEFORE = `now() - interval '1 hour'`;

/** Deletes logins and dead tokens that have expired. */
@Injectable()
export class SessionCleanupService extends ExpiredRowsJob {
  constructor(@InjectDataSource() dataSource: DataSource, database: DatabaseService) {
    super(dataSource, database, CLEANUP_LOCK, [
      { table: 'user_session', key: 'id', column: 'expires_at', before: BEFORE },
      { table: 'revoked_token', key: 'digest', column: 'expires_at', before: BEFORE },
    ]);
  }
}
