import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';

const INTERVAL_MS = 10 * 60 * 1000;
/** Events that `audit_prune` deletes at once. */
const BATCH_ROWS = 1000;

/**
 * Has the events deleted that are older than `AUDIT_RETENTION_DAYS`, by a function of the owner: the
 * service itself may delete none.
 */
@Injectable()
export class AuditCleanupService extends PeriodicJob {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseService,
  ) {
    super(database, INTERVAL_MS);
  }

  async run(signal: AbortSignal): Promise<void> {
    let pruned = BATCH_ROWS;
    while (pruned === BATCH_ROWS && !signal.aborted) {
      const [result] = await this.dataSource.query<[{ pruned: number }]>(
        'SELECT audit_prune() AS pruned',
      );
      pruned = result.pruned;
    }
  }
}
