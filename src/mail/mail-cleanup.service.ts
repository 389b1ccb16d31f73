import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { ExpiredRowsJob } from '../database/expired-rows.job';

/** Advisory lock of whoever cleans up. */
const CLEANUP_LOCK = 0x75_61_73_06;

/** Deletes mails that were sent, after a day; and those that were kept instead, or could not be. */
@Injectable()
export class MailCleanupService extends ExpiredRowsJob {
  constructor(@InjectDataSource() dataSource: DataSource, database: DatabaseService) {
    super(dataSource, database, CLEANUP_LOCK, [
      {
        table: 'mail',
        key: 'id',
        // What was sent a day ago was written down before: of that, there is an index.
        column: 'created_at',
        before: `now() - interval '1 day'`,
        where: `content IS NULL AND sent_at <= now() - interval '1 day'`,
      },
      {
        table: 'mail',
        key: 'id',
        column: 'created_at',
        before: `now() - interval '30 days'`,
        where: 'next_attempt_at IS NULL',
      },
    ]);
  }
}
